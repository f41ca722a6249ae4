"""What outlives a refresh, a kill and a second tab; classes, boxes and odd images."""

import os
import re
import signal

import numpy as np
import pytest
from drawing_photos import disc, iou, photograph, saved
from drawing_tool import start_tool
from PIL import Image

from cfcn_plugin.annotation.queue import AnnotationQueue

pytestmark = pytest.mark.slow
LINE = [[60, 150], [240, 150]]


def area(person):
    return person.js('return app.mask.area')


def test_refresh_loses_neither_the_mask_nor_the_shape_that_waits(person, serve, images):
    person.open(serve())
    person.keys('ARROW_RIGHT')
    person.ready(1)
    person.keys('b')
    person.drag(LINE)
    drawn = area(person)
    person.sent()
    person.keys('p')
    for point in ([10, 10], [50, 10], [50, 50]):
        person.click(point)
    person.driver.refresh()
    person.ready(1)
    assert area(person) == drawn > 0 and 'not saved' in person.text
    assert len(person.js('return app.tool.points')) == 3
    assert not (images.parent / 'masks/b.png').exists()
    person.keys('ENTER', 'ARROW_LEFT')  # what was drawn is saved when the image is left
    person.ready(0)
    assert (saved(images.parent / 'masks/b.png') > 0).sum() > drawn
    assert not list((images.parent / 'masks/.drafts').glob('*.draft'))


def test_two_tabs_draw_on_different_images_and_do_not_overwrite(person, serve, images):
    server = serve()
    person.open(server)
    person.keys('b')
    person.drag(LINE)
    drawn = area(person)
    person.sent()
    first = person.driver.current_window_handle
    person.driver.switch_to.new_window('tab')
    person.driver.get(f'http://127.0.0.1:{server.port}/')
    person.ready(1)  # the first image is the other tab's
    person.keys('ARROW_LEFT')
    person.ready(0)
    assert 'Another tab draws' in person.message
    person.keys('b')
    person.drag([[60, 50], [240, 50]])
    assert area(person) == drawn  # as it is seen; nothing was drawn
    person.keys('t')
    person.until('!app.isLocked')
    person.drag([[60, 50], [240, 50]])
    more = area(person)
    assert more > drawn
    second = person.driver.current_window_handle
    person.driver.switch_to.window(first)
    person.drag([[20, 20], [40, 20]])
    person.until("document.querySelector('dialog').open")
    assert 'Another tab took this image' in person.text
    person.driver.switch_to.window(second)
    person.keys('s')
    person.until('app.index === 2 || app.index === 1')
    assert (saved(images.parent / 'masks/a.png') > 0).sum() == more
    person.driver.switch_to.window(first)
    person.keys('r')
    person.until('!app.isLocked && app.mask')
    assert area(person) == more


def test_mask_that_another_program_wrote_is_replaced_by_decision_alone(
    person, serve, images
):
    person.open(serve())
    person.keys('b')
    person.drag(LINE)
    drawn = area(person)
    file = images.parent / 'masks/a.png'
    file.parent.mkdir(exist_ok=True)
    Image.fromarray(disc() * 255).save(file)
    person.keys('s')
    person.until("document.querySelector('dialog').open")
    assert 'The mask was changed elsewhere' in person.text
    assert iou(saved(file), disc()) == 1
    person.keys('o')
    person.keys('s')
    person.ready(1)
    assert (saved(file) > 0).sum() == drawn


def test_mask_of_an_earlier_session_asks_before_it_is_edited(person, serve, images):
    (images.parent / 'masks').mkdir()
    Image.fromarray(disc() * 255).save(images.parent / 'masks/a.png')
    person.open(serve())
    assert person.js('return app.index') == 1
    person.keys('ARROW_LEFT')
    person.ready(0)
    before = area(person)
    person.keys('b')
    person.drag(LINE)
    assert 'A mask from an earlier session' in person.text and area(person) == before
    person.keys('y')
    person.drag(LINE)
    assert area(person) > before
    person.keys('s')
    person.ready(1)
    assert (saved(images.parent / 'masks/a.png') > 0).sum() > before


def test_kill_of_the_server_loses_nothing(person, images):
    def start(port):
        tool = start_tool(images, port)
        while not (found := re.search(r'http://\S+', tool.stdout.readline())):
            pass
        return tool, found[0], int(found[0].split(':')[2].split('/')[0])

    tool, address, port = start(19700)
    try:
        person.open(address)
        person.keys('b')
        person.drag(LINE)
        person.sent()
        tool.send_signal(signal.SIGKILL)
        tool.wait()
        person.drag([[60, 50], [240, 50]])  # nobody is there
        drawn = area(person)
        person.until("!document.getElementById('offline').hidden")
        person.keys('s')
        assert 'No connection' in person.text and area(person) == drawn
        tool, address, again = start(port)
        assert again == port
        person.driver.switch_to.new_window('tab')
        person.driver.get(address)  # once, in the same browser
        person.ready()
        person.driver.get('about:blank')
        person.driver.switch_to.window(person.driver.window_handles[0])
        person.until("document.getElementById('offline').hidden")
        if person.js("return document.querySelector('dialog').open"):
            person.keys('t')  # the other tab had the image for a moment
        person.keys('s')
        person.until('app.index !== 0 && app.mask')
        assert (saved(images.parent / 'masks/a.png') > 0).sum() == drawn
        os.kill(tool.pid, signal.SIGTERM)
        assert tool.wait(20) == 0
        person.driver.get_log('browser')  # requests with the old token
    finally:
        tool.kill()


def test_each_class_has_its_label_and_its_colour(person, serve, images):
    queue = AnnotationQueue(images, images.parent / 'masks', classes=['cow', 'plane'])
    person.open(serve(queue))
    assert 'cow' in person.text and 'plane' in person.text
    person.keys('l')
    person.drag([[20, 20], [100, 20], [100, 100], [20, 100]])
    one = person.seen()
    person.keys('2')
    person.drag([[150, 20], [230, 20], [230, 100], [150, 100]])
    assert (abs(person.seen() - one).sum(-1) > 40).sum() > 10_000
    person.keys('s')
    person.ready(1)
    labels = saved(images.parent / 'masks/a.png')
    assert set(np.unique(labels)) == {0, 1, 2}
    assert labels[60, 60] == 1 and labels[60, 190] == 2


def test_box_that_exists_comes_as_an_outline_to_take(person, serve, images):
    boxes = {'a.png': [[92, 32, 208, 148, 1]], 'b.png': [[92, 32, 208, 148, 1]]}
    person.open(
        serve(
            boxes=lambda name, shape: boxes.get(name, []),
            captions={'a.png': 'blue tit'},
        )
    )
    assert 'blue tit' in person.text
    person.until('app.tools.outline.found')
    person.keys('s')
    person.ready(1)
    assert iou(saved(images.parent / 'masks/a.png'), disc()) > 0.98
    person.until('app.tools.outline.found')
    person.keys('b')
    person.until('!app.tools.outline.found')
    assert area(person) == 0
    person.keys('o')
    person.until('app.tools.outline.found')
    person.keys('ARROW_RIGHT')  # nobody took it
    person.ready(2)
    assert not (images.parent / 'masks/b.png').exists()


def test_photograph_with_an_orientation_is_told_and_its_mask_is_upright(
    person, serve, images
):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photograph()).save(images / '0.jpg', exif=exif, quality=95)
    (images / '1.jpg').write_bytes(b'no image')
    person.open(serve())
    assert 'EXIF orientation 6' in person.text
    assert person.js('return [app.mask.height, app.mask.width]') == [300, 200]
    person.keys('b')
    person.drag([[50, 100], [150, 100]])
    person.keys('s')
    person.until('app.index === 1 && !app.isGoing && !app.mask && app.status.states')
    assert saved(images.parent / 'masks/0.png').shape == (300, 200)
    person.until("document.getElementById('message').textContent.includes('1.jpg')")
    person.keys('s')
    assert 'Nothing is drawn' in person.message
    person.keys('k')
    person.ready(2)
    person.driver.get_log('browser')  # the browser counts the answer as an error


def test_thousands_of_images_have_thumbnails_as_they_come_in_sight(
    person, serve, tmp_path
):
    folder = tmp_path / 'many'
    folder.mkdir()
    Image.fromarray(photograph()).save(folder / '0000.jpg')
    for number in range(1, 3000):
        os.link(folder / '0000.jpg', folder / f'{number:04d}.jpg')
    person.open(serve(AnnotationQueue(folder, tmp_path / 'masks')))
    assert person.js("return document.querySelectorAll('.thumbnail').length") < 40
    person.keys('g')
    person.keys(*'2500', 'ENTER')
    person.ready(2499)
    assert '2500 of 3000' in person.text
    assert person.js("return document.querySelector('.current').title").startswith(
        '2500: 2499.jpg (open)'
    )
    person.js("document.querySelector('.current').nextSibling.click()")
    person.until('app.index !== 2499')
