"""Sphinx's settings. The folders of figures and of the PDF are given by utils.site.build."""

project = html_title = "Mixed models on trial"
author = "The course's authors"
copyright = "2026, the course's authors. Text and figures CC BY 4.0, code MIT"
language = "en"
extensions = ["myst_nb", "utils.site.extension"]
exclude_patterns = ["_static", "extra"]

html_theme = "furo"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_math_renderer = "mathml"
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 6
myst_heading_slug_func = "utils.site.pages.anchor"
nb_execution_mode = "off"
nb_merge_streams = True
