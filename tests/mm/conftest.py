"""Each file of tests finds our classes in the registries, also when it runs alone."""
import cfcn_plugin.mm  # noqa: F401
