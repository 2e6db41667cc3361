"""What pages share: shell, state, caches, jobs, controls and charts. Streamlit never takes this folder for a page."""
