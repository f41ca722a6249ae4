// Every command, with its keys: the buttons, the keyboard and the help are made of this.

// [group, [[keys, label, run(app), button?], ...]]
export const COMMANDS = [
  ['Draw', [
    ['o', 'Outline from a box', app => app.choose('outline', 'box'), 'outline-box'],
    ['i', 'Outline from a stroke', app => app.choose('outline', 'stroke'), 'outline-stroke'],
    ['b', 'Brush', app => app.choose('brush'), 'brush'],
    ['l', 'Lasso', app => app.choose('lasso'), 'lasso'],
    ['p', 'Polygon', app => app.choose('polygon'), 'polygon'],
    ['r', 'Box', app => app.choose('box'), 'box'],
  ]],
  ['Mode', [
    ['a', 'Add: cause', app => app.setErase(false), 'add'],
    ['e', 'Erase: context (or the right mouse button)', app => app.setErase(true), 'erase'],
    ['[', 'Smaller brush', app => app.resizeBrush(1 / 1.25)],
    [']', 'Larger brush', app => app.resizeBrush(1.25)],
    ['1 2 3 4 5 6 7 8 9', 'Class, if there are several', (app, key) => app.chooseLabel(+key)],
  ]],
  ['Correct', [
    ['Ctrl+z z', 'Undo', app => app.undo(), 'undo'],
    ['Ctrl+y Ctrl+Shift+z y', 'Redo', app => app.redo(), 'redo'],
    ['Backspace', 'Take back the last corner or stroke', app => app.back()],
    ['Escape', 'Forget the shape that waits', app => app.escape()],
    ['x', 'Clear the mask', app => app.clear()],
    ['c', 'Copy the mask of the image before', app => app.copyBefore(), 'copy'],
  ]],
  ['Go on', [
    ['Enter', 'Take the shape; or save, and open the next', app => app.enter()],
    ['s', 'Take the shape, save, and open the next', app => app.finish(), 'save'],
    ['k', 'Skip this image, or take that back', app => app.skip(), 'skip'],
    ['ArrowLeft PageUp', 'Previous image', app => app.step(-1), 'previous'],
    ['ArrowRight PageDown', 'Next image', app => app.step(1), 'next'],
    ['n', 'Next open image', app => app.goToOpen()],
    ['g', 'Go to an image by its number', app => app.jump()],
    ['t', 'Take over an image from another tab', app => app.connection.takeOver()],
  ]],
  ['Look', [
    ['+ =', 'Zoom in (or the wheel)', app => app.zoom(1.25)],
    ['-', 'Zoom out', app => app.zoom(0.8)],
    ['0', 'Fit the image', app => app.view.fit()],
    ['Alt+ArrowLeft', 'Pan (or space, or the middle button, and drag)', app => app.pan(1, 0)],
    ['Alt+ArrowRight', '', app => app.pan(-1, 0)],
    ['Alt+ArrowUp', '', app => app.pan(0, 1)],
    ['Alt+ArrowDown', '', app => app.pan(0, -1)],
    ['v', 'Hide the mask, or show it', app => app.toggleMask()],
    ['?', 'These keys', app => app.help(), 'help'],
    ['q', 'Finish: what was made', app => app.summary(), 'finish'],
  ]],
  ['Without a mouse', [
    ['Shift+ArrowLeft', 'Move the pen by a step', app => app.pen.move(-1, 0)],
    ['Shift+ArrowRight', '', app => app.pen.move(1, 0)],
    ['Shift+ArrowUp', '', app => app.pen.move(0, -1)],
    ['Shift+ArrowDown', '', app => app.pen.move(0, 1)],
    ['.', 'Pen down, pen up', app => app.pen.toggle()],
    [',', 'Longer or shorter steps of the pen', app => app.pen.changeStep()],
  ]],
];

const RUN = new Map(COMMANDS.flatMap(([, commands]) => commands.flatMap(
  ([keys, , run]) => keys.split(' ').map(key => [key.toLowerCase(), run]))));

export function runKey(app, event) {
  const shift = event.shiftKey && event.key.length > 1 ||
    event.shiftKey && (event.ctrlKey || event.metaKey);
  const name = [event.ctrlKey || event.metaKey ? 'ctrl' : '', event.altKey ? 'alt' : '',
                shift ? 'shift' : '', event.key.toLowerCase()].filter(Boolean).join('+');
  const run = RUN.get(name);
  if (!run) return false;
  run(app, event.key);
  return true;
}

export function shownKeys(keys) {
  return keys.replace('1 2 3 4 5 6 7 8 9', '1…9').replace(/Arrow(\w+)/g, (_, way) => (
    {Left: '←', Right: '→', Up: '↑', Down: '↓'})[way]);
}
