"""ICLens in the browser: page settings and navigation; each page is a script in pages/."""

from pages.ui import shell

shell.configure()
shell.mark_framed()
shell.navigation().run()
