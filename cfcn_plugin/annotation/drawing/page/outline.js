// The assisted outline: a box or a stroke goes to the server, the outline of the object
// comes back and waits, to be taken (Enter) or corrected by strokes of cause and context.
import {askRuns} from './api.js';
import {Layer} from './layer.js';
import {decodeRuns, runEnd} from './raster.js';
import {boxOf, corners, drawBox, drawBrush, Tool} from './tools.js';

const CAUSE = '#3ddc84', CONTEXT = '#ff5d73', BOX = '#00e5ff';
const FOUND = [0, 229, 255, 105];  // colour of an outline that waits
const SHORTEST = 4;                // CSS pixels of a box

// As thick as it is; a point is a dot
function drawStroke(c, view, {points, radius, value}) {
  c.save();
  c.globalAlpha = 0.6;
  c.lineCap = c.lineJoin = 'round';
  c.strokeStyle = value ? CAUSE : CONTEXT;
  c.lineWidth = Math.max(3, 2 * radius * view.scale);
  c.beginPath();
  for (const point of [points[0], ...points]) c.lineTo(...view.toCanvas(point));
  c.stroke();
  c.restore();
}

export class Outline extends Tool {
  boxes = [];
  strokes = [];
  found = null;    // {left, top, width, height, labels}
  asked = 0;
  start = 'box';   // what the first mark is: 'box' or 'stroke'

  opened(mask) {  // another image
    this.cancel();
    this.groups = [];
    this.labels = null;
    this.layer = new Layer(mask.width, mask.height, () => this.labels, [FOUND]);
  }

  // Boxes [x0, y0, x1, y1, label] that exist already, one label after the other
  suggest(boxes) {
    if (this.boxes.length || this.strokes.length) return;
    const groups = Map.groupBy(boxes, box => box[4]);
    this.groups = [...groups].map(([label, some]) => [label, some.map(b => b.slice(0, 4))]);
    this.nextGroup();
  }

  nextGroup() {
    const group = this.groups.shift();
    if (!group) return;
    this.app.chooseLabel(group[0]);
    this.boxes = group[1];
    this.isSuggested = true;
    this.request();
  }

  down(point) {
    const all = this.boxes.length === 1 ? corners(this.boxes[0]) : [];
    const held = all.findIndex(corner => this.near(point, corner));
    this.isSuggested = false;
    if (held >= 0) {
      this.fixed = all[(held + 2) % 4];
    } else if (this.start === 'box' && !this.boxes.length && !this.strokes.length) {
      this.fixed = point;
    } else {
      const {radius, isErasing} = this.app;
      this.stroke = {points: [point], radius, value: isErasing ? 0 : 1};
    }
  }

  move(point, pressed) {
    if (pressed && this.fixed) this.boxes = [boxOf(this.fixed, point)];
    if (pressed && this.stroke) this.stroke.points.push(point);
  }

  up() {
    if (this.fixed) {
      const [box] = this.boxes, {scale} = this.app.view;
      if (!box || Math.min(box[2] - box[0], box[3] - box[1]) * scale < SHORTEST) {
        this.boxes = [];  // a click
      }
    } else if (this.stroke && (this.boxes.length || this.strokes.length ||
                               this.stroke.value)) {
      this.strokes.push(this.stroke);
    }
    const hasMarks = this.boxes.length + this.strokes.length > 0;
    this.fixed = this.stroke = null;
    if (hasMarks) this.request();
    this.app.remember();
  }

  async request() {
    const number = ++this.asked, {app, boxes, strokes} = this;
    this.isAsking = true;
    app.say('Searching for the outline ...');
    try {
      const {facts, runs} = await askRuns(`outline/${app.index}`, {
        method: 'POST', body: JSON.stringify({boxes, strokes})});
      if (number !== this.asked) return;  // there are newer marks
      this.show({...facts, labels: decodeRuns(runs, facts.width * facts.height)});
      app.say('Enter takes the outline. A stroke adds to it, with the right button (or ' +
              'after E) it removes; Esc forgets it.');
    } catch (error) {
      if (number === this.asked) app.sayError(error);
    } finally {
      if (number === this.asked) this.isAsking = false;
      app.view.invalidate();
    }
  }

  show(found) {
    const {mask} = this.app;
    const erased = this.found;
    this.found = found;
    this.labels ||= new Uint8Array(mask.width * mask.height);
    for (const one of [erased, found]) {
      if (!one) continue;
      for (let row = 0; row < one.height; row++) {
        const start = (one.top + row) * mask.width + one.left;
        const end = start + one.width;
        if (one === erased) this.labels.fill(0, start, end);
        else this.labels.set(one.labels.subarray(row * one.width, (row + 1) * one.width),
                             start);
      }
      const rect = {left: one.left, top: one.top, right: one.left + one.width,
                    bottom: one.top + one.height};
      this.layer.update(rect);
      this.app.view.redraw(rect);
    }
  }

  commit() {
    const {found, boxes, strokes} = this;
    if (!found || this.isAsking) return false;
    this.cancel();
    this.app.erase = false;
    const done = this.app.edit(span => {
      for (let row = 0; row < found.height; row++) {
        const line = found.labels.subarray(row * found.width, (row + 1) * found.width);
        for (let at = 0; at < found.width;) {
          const end = runEnd(line, at);
          if (line[at]) span(found.top + row, found.left + at, found.left + end);
          at = end;
        }
      }
    }, {tool: 'outline', state: {boxes, strokes}});
    this.nextGroup();
    return done;
  }

  cancel() {
    this.asked++;
    this.isAsking = this.isSuggested = false;
    if (this.found) this.show(null);
    this.boxes = [];
    this.strokes = [];
    this.fixed = this.stroke = null;
  }

  back() {
    if (!this.boxes.length && !this.strokes.length) return false;
    const strokes = this.strokes.slice(0, -1);
    if (this.strokes.length && (strokes.length || this.boxes.length)) {
      this.strokes = strokes;
      this.request();
    } else {
      this.cancel();
    }
    return true;
  }

  // a suggestion that nobody touched is no work to keep
  get waits() {
    const {boxes, strokes} = this;
    return boxes.length + strokes.length && !this.isSuggested ? {boxes, strokes} : null;
  }

  restore({boxes, strokes}) {
    this.boxes = boxes;
    this.strokes = strokes;
    this.request();
  }

  draw(c) {
    const {view} = this.app;
    if (this.isAsking) c.setLineDash([6, 4]);
    this.boxes.forEach(box => drawBox(c, view, box, BOX));
    c.setLineDash([]);
    for (const one of [...this.strokes, this.stroke]) {
      if (one) drawStroke(c, view, one);
    }
    if (!this.fixed && (this.start === 'stroke' || this.boxes.length || this.strokes.length)) {
      drawBrush(c, this.app, this.app.isErasing ? CONTEXT : CAUSE);
    }
  }
}
