"""Undo and redo, which outlive a refresh: the steps are kept with the draft."""

import pytest

pytestmark = pytest.mark.slow


def test_undo_and_redo_outlive_a_refresh_until_the_image_is_left(person, serve, images):
    def after(*keys):
        person.keys(*keys)
        return person.js('return Array.from(app.mask.runs)')

    person.open(serve())
    person.keys('b')
    runs = [after()]
    for row in (50, 100, 150):
        person.drag([[60, row], [240, row]])
        runs.append(after())
    person.sent()
    person.driver.refresh()
    person.ready()
    assert after() == runs[3]
    assert [after('z'), after('z'), after('y')] == [runs[2], runs[1], runs[2]]
    assert [after('z'), after('z')] == [runs[1], runs[0]]
    person.sent()
    person.driver.refresh()  # all is undone, and can be done again
    person.ready()
    assert after() == runs[0] and 'not saved' not in person.text
    assert [after('y'), after('y'), after('y')] == runs[1:]
    person.keys('z', 'z', 'z')
    person.sent()
    assert list((images.parent / 'masks/.drafts').glob('*.draft'))
    person.keys('ARROW_RIGHT')
    person.ready(1)
    assert not list((images.parent / 'masks/.drafts').glob('*.draft'))


def test_steps_that_are_kept_are_bounded_and_checked(person, serve):
    person.open(serve())
    kept, read = person.js("""
        return import('/page/steps.js').then(({readSteps, writeSteps}) => {
          const rect = {left: 0, top: 0, right: 2, bottom: 1};
          const edit = (a, b) => ({rect, words: [a, 1, b, 1], shape: null});
          const edits = [edit(1, 0), edit(0, 1), edit(1, 1), edit(2, 0)];
          const one = JSON.stringify(edits[0]).length + 1;
          const kept = [0, 1, 2, 3, 4].map(count => {
            const text = writeSteps({edits, at: 2, savedAt: 1}, count * one);
            const {at, savedAt, edits: some} = JSON.parse(text);
            return [at, savedAt, some.map(({words}) => [words[0], words[2]])];
          });
          const mask = {width: 2, height: 1};
          const text = edits => JSON.stringify({at: 1, savedAt: 0, edits});
          return [kept, [
            text([edit(1, 0)]), '', '{}', text([]),
            text([{...edits[0], words: [1, 1]}]), text([
              {...edits[0], rect: {...rect, right: 3}}])].map(
            one => readSteps(mask, one))];
        });""")
    assert kept == [
        [0, -1, []],
        [1, 0, [[0, 1]]],
        [2, 1, [[1, 0], [0, 1]]],
        [2, 1, [[1, 0], [0, 1], [1, 1]]],
        [2, 1, [[1, 0], [0, 1], [1, 1], [2, 0]]],
    ]
    assert read == [True] + 5 * [False]
