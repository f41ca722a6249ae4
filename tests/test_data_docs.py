"""docs/data.md tells every data set, and names configs and commands that exist."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / 'docs/data.md').read_text(encoding='utf-8')
# of the data sets whose configs have a stock head, as the table says
OTHER_METHODS = {
    'efficientnet-lite0_waterbirds': ('cnn', 'cfcn-c', 'cfcn'),
    'efficientnet-lite0_tied-pets': ('cnn', 'cfcn', 'swap', 'outline-swap'),
}
ROWS = re.findall(r'^\| \[.*\]\(#(\S+)\) \| `(\S+)` \|.*\| `(\S+)`[^|]*\|$', TEXT, re.M)


def test_the_table_has_every_data_set_of_the_tool_and_a_section_for_each():
    tool = runpy.run_path(str(ROOT / 'tools/get_data.py'), run_name='tool')
    assert sorted(name for _, name, _ in ROWS) == sorted(tool['GETTERS'])
    sections = {
        title.lower().replace(' ', '-')
        for title in re.findall(r'^## (.+)$', TEXT, re.M)
    }
    for section, name, _ in ROWS:
        assert section in sections
        assert f'get_data.py {name}' in TEXT


def test_every_method_of_the_table_is_a_config():
    for _, _, config in ROWS:
        for method in OTHER_METHODS.get(config, ('cnn', 'cfcn-c', 'cfcn-f')):
            assert (ROOT / f'configs/{method}_{config}.py').is_file()


def test_every_config_of_a_paper_network_is_in_the_table():
    configs = {path.stem.split('_', 1)[1] for path in ROOT.glob('configs/*cfcnnet*.py')}
    assert configs <= {config for _, _, config in ROWS}
