"""Every example runs with the real packages, and reaches the plain loop."""

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from cfcn_plugin import FeatureHook, Guide
from cfcn_plugin.data.public.textured_digits import write_textured_digits

FOLDER = Path(__file__).parents[2] / 'examples'
EXAMPLES = sorted({file.stem for file in FOLDER.glob('*.py')} - {'digits'})
NEEDED = {'hf_trainer': 'transformers', 'lightning': 'pytorch_lightning'}


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Run an example for an epoch, once: its names, and what it printed."""
    pytest.importorskip('skimage')
    pytest.importorskip('sklearn')
    data = write_textured_digits(tmp_path_factory.mktemp('data') / 'textured-digits')
    known = {}

    def run_once(name, *arguments):
        if name in NEEDED and not find_spec(NEEDED[name]):
            pytest.skip(f'needs {NEEDED[name]}')
        if (name, arguments) not in known:
            with pytest.MonkeyPatch.context() as patch:
                printed = []
                patch.syspath_prepend(FOLDER)  # as Python does for a script
                patch.chdir(data)
                patch.setattr('builtins.print', lambda *a, **k: printed.append(a[0]))
                patch.setattr(
                    sys,
                    'argv',
                    [name, '--data', str(data), '--epochs', '1', *arguments],
                )
                names = runpy.run_path(str(FOLDER / f'{name}.py'))
            known[name, arguments] = names, printed
        return known[name, arguments]

    return run_once


def test_there_are_examples_of_all_loops():
    assert set(EXAMPLES) == {'hf_trainer', 'lightning', 'plain_pytorch', 'timm_train'}


@pytest.mark.parametrize('file', FOLDER.glob('*.py'), ids=lambda file: file.stem)
def test_an_example_is_short(file):
    assert len(file.read_text().splitlines()) <= 60


@pytest.mark.parametrize('plain', [[], ['--plain']], ids=['guided', 'plain'])
@pytest.mark.parametrize('example', EXAMPLES)
def test_an_example_trains_and_says_what_it_reached(example, plain, run):
    _, printed = run(example, *plain)
    said = [line for line in printed if 'right' in str(line)]
    assert [line.split(':')[0] for line in said] == ['tied', 'untied']


@pytest.mark.parametrize('plain', [[], ['--plain']], ids=['guided', 'plain'])
def test_lightning_trains_the_very_weights_of_the_plain_loop(plain, run):
    expected = run('plain_pytorch', *plain)[0]['model'].state_dict()
    found = run('lightning', *plain)[0]['module'].model.state_dict()
    torch.testing.assert_close(found, expected)


def test_guidance_changes_what_the_plain_loop_trains(run):
    guided, plain = (
        run('plain_pytorch', *arguments)[0]['model'].state_dict()
        for arguments in ([], ['--plain'])
    )
    assert not torch.equal(guided['0.0.weight'], plain['0.0.weight'])


def test_a_step_of_the_trainer_of_transformers_is_that_of_the_plain_loop(run):
    names, _ = run('hf_trainer')
    model, trainer = names['model'], names['trainer']
    batch = names['collate']([names['dataset'][i] for i in (0, 150, 300)])
    images, labels, masks = (batch[key] for key in ('pixel_values', 'labels', 'masks'))
    found = trainer.compute_loss(model.train(), dict(batch))
    guide = Guide(model, names['method'], FeatureHook('resnet.encoder.stages.0'))
    with guide:
        output = model(images)
    guidance = guide.loss(images, output, labels, masks)
    assert guidance > 0.05
    torch.testing.assert_close(found, F.cross_entropy(output.logits, labels) + guidance)
    with torch.no_grad():
        assert trainer.compute_loss(model, dict(batch), True)[1].logits.shape == (3, 3)
