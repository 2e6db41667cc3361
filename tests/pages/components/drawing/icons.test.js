import assert from "node:assert/strict";
import test from "node:test";

import * as icons from "../../../../pages/ui/components/drawing/icons.js";

test("an icon is a path that begins within its box", () => {
  for (const [name, path] of Object.entries(icons)) {
    assert.match(path, /^M[-\d.]+[MLHVQTZmlhvqtz\d\s.-]*Z$/, name);
    const [x, y] = path.match(/-?\d+/g).map(Number);
    assert.ok(x >= 0 && x <= 960 && y <= 0 && y >= -960, name);
  }
});
