"""ICLens in the browser: page settings and navigation; each page is a script in pages/."""

import streamlit as st

from pages.ui import shell

shell.configure()
shell.mark_framed()
st.navigation(shell.all_pages(), position="top").run()
