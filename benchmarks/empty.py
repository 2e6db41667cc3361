"""The least that a Streamlit app can do with an edit: what the Playground's redraw is measured against."""

import streamlit as st

query = st.text_input("Query x", key="query")
st.write(query)
