"""ICLens in the browser: page settings and navigation; each page is a script in pages/."""

from pages.ui.frame import shell

shell.configure()
shell.mark_framed()
shell.navigation().run()
