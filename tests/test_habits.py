"""What the project says of itself is the same everywhere."""

import re
from pathlib import Path

import yaml

from cfcn_plugin import __version__

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / 'Makefile').read_text(encoding='utf-8')
TARGETS = set(re.findall(r'^([\w-]+):', MAKEFILE, re.M))


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
    assert citation['version'] == __version__
    assert citation['cff-version'] == '1.2.0'


def test_every_workflow_and_form_is_yaml_and_names_targets_that_exist():
    files = [*(ROOT / '.github').rglob('*.yml'), *(ROOT / '.github').rglob('*.yaml')]
    assert len(files) >= 4
    for file in files:
        text = file.read_text(encoding='utf-8')
        assert yaml.safe_load(text)
        assert set(re.findall(r'run: make ([a-z][\w-]*)', text)) <= TARGETS
        lists = re.findall(r'target: \[(.*)\]', text)
        assert {one.strip() for names in lists for one in names.split(',')} <= TARGETS


def test_contributing_names_targets_that_exist():
    text = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    named = re.findall(r'make ((?:[a-z][\w-]*(?: (?=[a-z][\w-]*`))?)+)', text)
    assert {'test', 'types', 'docs', 'coverage', 'gpu'} <= {
        one for names in named for one in names.split()
    }
    assert {one for names in named for one in names.split()} <= TARGETS


def test_the_changelog_begins_with_what_is_unreleased():
    versions = re.findall(
        r'^## (\S+)', (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8'), re.M
    )
    assert versions[0] == 'Unreleased'
    assert __version__ in versions
