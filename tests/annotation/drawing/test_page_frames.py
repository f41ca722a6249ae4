"""What a frame of the page draws: the pixels that changed, from ready bitmaps."""

import pytest

pytestmark = pytest.mark.slow
# how many pixels of the canvas the frame after a change makes anew
MADE = """
    const {view} = app, {scene} = view;
    const made = run => {
      view.draw();
      const before = scene.made;
      run();
      view.draw();
      return scene.made - before;
    };
"""


def test_frame_makes_only_the_pixels_anew_that_change(person, serve):
    person.open(serve())
    width, height = person.js('return [app.view.canvas.width, app.view.canvas.height]')
    person.keys('b')
    person.drag([[60, 150], [240, 150]])
    hover, pan, dab, hidden, zoom, lost = person.js(
        MADE
        + """
        return [made(() => { app.pointer = [100, 100]; view.invalidate(); }),
                made(() => view.pan(3, -2)),
                made(() => { app.mask.begin(); app.tool.last = [150, 50];
                             app.tool.stamp([150, 50]); app.mask.end(); }),
                made(() => app.toggleMask()), made(() => view.zoom(1.1, [200, 200])),
                made(() => scene.canvas.dispatchEvent(new Event('contextrestored')))];
        """
    )
    assert hover == 0 and pan == 3 * height + 2 * width
    assert hidden == zoom == lost == width * height
    radius, scale = person.js('return [app.radius, app.view.scale]')
    assert (2 * radius * scale) ** 2 < dab < (2 * radius * scale + 16) ** 2


def test_frames_of_changes_show_what_a_whole_drawing_shows(person, serve):
    person.open(serve())
    person.keys('b')
    person.drag([[60, 150], [240, 150]])
    differ = person.js("""
        const {view} = app, {scene} = view;
        let state = 1;
        const random = () => (state = state * 16807 % 2147483647) / 2147483647;
        const pixels = () => {
          const {canvas} = scene;
          return scene.context.getImageData(0, 0, canvas.width, canvas.height).data;
        };
        return Array.from({length: 12}, (_, i) => {
          if (i % 4 === 0) view.zoom(0.6 + random(), [300 * random(), 300 * random()]);
          for (let k = 0; k < 3; k++) {
            view.pan(90 * random() - 45, 90 * random() - 45);
            app.mask.begin();
            const point = [300 * random(), 200 * random()];
            app.tool.last = point;
            app.tool.stamp(point);
            app.mask.end();
            view.draw();
          }
          const some = pixels();
          view.redraw();
          view.draw();
          return pixels().reduce(
            (most, one, k) => Math.max(most, Math.abs(one - some[k])), 0);
        });""")
    assert max(differ) <= 1  # of 255: the browser's rounding


def test_events_between_two_frames_are_one_frame(person, serve):
    person.open(serve())
    frames = person.js("""
        const {view} = app, first = view.frames;
        const frame = () => new Promise(requestAnimationFrame);
        return frame().then(frame).then(() => {
          const before = view.frames;
          for (let i = 0; i < 50; i++) view.pan(1, 1);
          return frame().then(frame).then(() => view.frames - before);
        });""")
    assert frames == 1
