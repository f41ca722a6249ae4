"""The check of a source's entries, without its images."""


def unbroken(source):
    """The source; or the error of its first broken entry is raised."""
    for _, error in source.broken():
        raise error
    return source
