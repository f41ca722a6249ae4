"""The drawing page: a server on this machine, and a page on a canvas in the browser.

``server`` is who may ask, ``routes`` what is answered, ``session`` the state of the
images, ``outlines`` the assisted outline, and ``page`` what the browser runs.
"""
