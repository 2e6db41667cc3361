"""One file a version of the schema; the name begins with its number. What has been released is never edited."""
