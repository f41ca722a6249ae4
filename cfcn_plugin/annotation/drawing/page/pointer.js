// Mouse, pen and wheel over the canvas: to draw, zoom and pan.

export function listen(app) {
  const {view} = app, {canvas} = view;
  let pan = null, space = false;
  const at = event => view.at(event);

  canvas.addEventListener('pointerdown', event => {
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    document.activeElement?.blur();
    if (event.button === 1 || space) {
      pan = at(event);
    } else if (app.canEdit()) {
      app.pen.lift();
      app.invert = event.button === 2;
      app.isPressed = true;
      app.tool.down(view.toImage(at(event)), event);
      view.invalidate();
    }
  });

  canvas.addEventListener('pointermove', event => {
    if (pan) {
      const now = at(event);
      view.pan(now[0] - pan[0], now[1] - pan[1]);
      pan = now;
      return;
    }
    // all points since the last frame, not the last one alone
    const all = event.getCoalescedEvents?.() || [];
    for (const one of all.length ? all : [event]) {
      app.pointer = view.toImage(at(one));
      if (app.mask) app.tool.move(app.pointer, app.isPressed);
    }
    view.invalidate();
  });

  const release = event => {
    pan = null;
    if (!app.isPressed) return;
    app.isPressed = false;
    app.tool.up(view.toImage(at(event)), event);
    app.invert = false;
    app.refresh();
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('pointerleave', () => {
    app.pointer = null;
    view.invalidate();
  });
  canvas.addEventListener('contextmenu', event => event.preventDefault());
  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    const lines = [1, 30, 300][event.deltaMode];
    view.zoom(Math.exp(-event.deltaY * lines * 0.0015), at(event));
  }, {passive: false});
  addEventListener('keydown', event => {
    if (event.key === ' ') {
      space = true;
      event.preventDefault();
    }
  });
  addEventListener('keyup', event => { if (event.key === ' ') space = false; });
  addEventListener('blur', () => { space = false; });
}
