"""HTML pages in one file, with embedded figures."""

import base64

from jinja2 import Environment, PackageLoader


def render_page(template: str, **values) -> str:
    """The text of a page.

    Args:
        template: A file of the folder ``templates``; it extends ``base.html``.
        **values: For the template; all text is escaped. ``title`` is the page's.
    """
    environment = Environment(
        loader=PackageLoader('cfcn_plugin.experiments'), autoescape=True
    )
    environment.filters['b64encode'] = lambda png: base64.b64encode(png).decode()
    return environment.get_template(template).render(**values)
