// Brush, lasso, polygon and box. A tool hears down, move and up with points of the image
// in pixels. A polygon or box waits, with corners that can be moved, until it is taken.
import {polygonSpans, segmentSpans} from './raster.js';

const HANDLE = 9;  // CSS pixels within which a corner is taken hold of
const INK = '#00e5ff', ERASING = '#ff5d73', EDGE = 'rgba(0, 0, 0, 0.65)';

export class Tool {
  constructor(app) { this.app = app; }
  down() {}
  move() {}
  up() {}
  commit() { return false; }  // take what waits; false if nothing does
  cancel() {}                 // forget what waits
  back() { return false; }    // take back its last step; false if nothing waits
  draw() {}
  get waits() { return null; }  // what must not be lost, for restore()
  restore() {}

  fill(points, shape) {
    const {mask} = this.app;
    return this.app.edit(span => polygonSpans(points, mask.width, mask.height, span), shape);
  }

  get colour() { return this.app.isErasing ? ERASING : INK; }

  near(point, other) {
    return Math.hypot(point[0] - other[0], point[1] - other[1]) <=
      HANDLE / this.app.view.scale;
  }
}

export class Brush extends Tool {
  down(point) {
    this.last = point;
    this.app.mask.begin();
    this.stamp(point);
  }

  move(point, pressed) {
    if (pressed && this.last) this.stamp(point);
  }

  up() {
    if (!this.last) return;
    this.last = null;
    this.app.endEdit();
  }

  stamp(point) {
    const {mask, radius, value} = this.app, last = this.last;
    mask.paint(span => segmentSpans(
      last, point, radius, mask.width, mask.height, span), value);
    this.last = point;
  }

  cancel() {
    this.last = null;
    this.app.mask.cancel();
  }

  draw(c) { drawBrush(c, this.app, this.colour); }
}

export class Lasso extends Tool {
  down(point) { this.points = [point]; }

  move(point, pressed) {
    if (pressed && this.points) this.points.push(point);
  }

  up() {
    const points = this.points;
    this.points = null;
    if (points && points.length > 2) this.fill(points);
  }

  cancel() { this.points = null; }

  draw(c) {
    if (this.points) drawPath(c, this.app.view, this.points, this.colour, true);
  }
}

export class Polygon extends Tool {
  points = [];

  down(point, event) {
    this.held = this.points.findIndex(corner => this.near(point, corner));
    this.moved = false;
    if (this.held >= 0) return;
    const edge = this.isClosed ? this.points.findIndex(
      (_, i) => this.near(point, this.middle(i))) : -1;
    if (edge >= 0) {
      this.points.splice(edge + 1, 0, point);
      this.held = edge + 1;
      this.moved = true;
    } else if (this.isClosed) {
      this.commit();
      this.down(point, event);
    } else {
      this.points.push(point);
      this.held = this.points.length - 1;
      this.moved = true;
    }
  }

  move(point, pressed) {
    this.hover = point;
    if (!pressed || this.held < 0 || !this.points.length) return;
    if (!this.near(point, this.points[this.held])) this.moved = true;
    if (this.moved) this.points[this.held] = point;
  }

  up() {
    if (this.held === 0 && !this.moved && this.points.length > 2) {
      // the first corner again closes the polygon; its corners can be moved from then on
      this.isClosed = true;
    }
    this.held = -1;
    this.app.remember();
  }

  middle(i) {
    const [a, b] = [this.points[i], this.points[(i + 1) % this.points.length]];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  commit() {
    const points = this.points;
    this.cancel();
    return points.length > 2 && this.fill(points, {tool: 'polygon', state: points});
  }

  cancel() {
    this.points = [];
    this.isClosed = false;
    this.held = -1;
  }

  back() {
    if (!this.points.length) return false;
    this.points.pop();
    this.isClosed &&= this.points.length > 2;
    return true;
  }

  get waits() { return this.points.length ? this.points : null; }

  restore(points) {
    this.points = points;
    this.isClosed = points.length > 2;
  }

  draw(c) {
    const {view} = this.app, {points} = this;
    if (!points.length) return;
    const path = this.isClosed || this.held >= 0 || !this.hover ? points : [
      ...points, this.hover];
    drawPath(c, view, path, this.colour, this.isClosed);
    points.forEach(point => drawHandle(c, view, point, this.colour));
    if (this.isClosed) points.forEach((_, i) => drawHandle(c, view, this.middle(i), EDGE));
  }
}

export class Box extends Tool {
  down(point) {
    const held = this.box ? corners(this.box).findIndex(one => this.near(point, one)) : -1;
    if (held < 0) {
      this.commit();
      this.fixed = point;
    } else {
      this.fixed = corners(this.box)[(held + 2) % 4];
    }
  }

  move(point, pressed) {
    if (pressed && this.fixed) this.box = boxOf(this.fixed, point);
  }

  up() {
    this.fixed = null;
    this.app.remember();
  }

  commit() {
    const {box} = this;
    this.cancel();
    return Boolean(box) && this.fill(corners(box), {tool: 'box', state: box});
  }

  cancel() { this.box = this.fixed = null; }

  back() {
    const had = Boolean(this.box);
    this.cancel();
    return had;
  }

  get waits() { return this.box || null; }
  restore(box) { this.box = box; }
  draw(c) { if (this.box) drawBox(c, this.app.view, this.box, this.colour); }
}

export function boxOf([ax, ay], [bx, by]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
}

export function corners([x0, y0, x1, y1]) {
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

export function drawBox(c, view, box, colour) {
  drawPath(c, view, corners(box), colour, true);
  corners(box).forEach(point => drawHandle(c, view, point, colour));
}

export function drawBrush(c, {view, pointer, radius}, colour) {
  if (!pointer) return;
  c.beginPath();
  c.arc(...view.toCanvas(pointer), Math.max(radius * view.scale, 1.5), 0, 7);
  stroke(c, colour);
}

export function drawPath(c, view, points, colour, closed) {
  c.beginPath();
  points.forEach(point => c.lineTo(...view.toCanvas(point)));
  if (closed) c.closePath();
  stroke(c, colour);
}

function stroke(c, colour) {  // seen on bright and on dark images
  for (const [style, width] of [[EDGE, 4], [colour, 2]]) {
    c.strokeStyle = style;
    c.lineWidth = width;
    c.stroke();
  }
}

function drawHandle(c, view, point, colour) {
  const [x, y] = view.toCanvas(point);
  c.fillStyle = colour;
  c.strokeStyle = 'white';
  c.lineWidth = 1.5;
  c.beginPath();
  c.rect(x - 4, y - 4, 8, 8);
  c.fill();
  c.stroke();
}
