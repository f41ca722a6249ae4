// Labels in colours, in tiles: only what an edit touches is made anew.
const TILE = 512;
const LONGEST = 8192;     // of the mask's own layer; larger masks are shown reduced

export class Layer {
  // labels(): the pixels, a label each; colours: [r, g, b, a] of each label from 1
  constructor(width, height, labels, colours) {
    Object.assign(this, {width, height, labels, isShown: true});
    this.step = Math.ceil(Math.max(width, height) / LONGEST);
    this.wide = Math.ceil(width / this.step);
    this.high = Math.ceil(height / this.step);
    this.tiles = new Map();
    this.colours = new Uint32Array(256);
    new Uint8Array(this.colours.buffer).set(colours.flat(), 4);
  }

  update({left, top, right, bottom}) {
    const {step} = this;
    const x1 = Math.min(this.wide, Math.ceil(right / step));
    const y1 = Math.min(this.high, Math.ceil(bottom / step));
    const x0 = Math.floor(left / step), y0 = Math.floor(top / step);
    for (let row = Math.floor(y0 / TILE); row * TILE < y1; row++) {
      for (let column = Math.floor(x0 / TILE); column * TILE < x1; column++) {
        this.paint(column, row, Math.max(x0, column * TILE), Math.max(y0, row * TILE),
                   Math.min(x1, (column + 1) * TILE), Math.min(y1, (row + 1) * TILE));
      }
    }
  }

  paint(column, row, x0, y0, x1, y1) {
    const key = row * 65536 + column, labels = this.labels();
    const pixels = new Uint32Array((x1 - x0) * (y1 - y0));
    let k = 0, any = false;
    for (let y = y0; y < y1; y++) {
      let at = y * this.step * this.width + x0 * this.step;
      for (let x = x0; x < x1; x++, at += this.step) {
        const label = labels[at];
        if (label) any = true;
        pixels[k++] = this.colours[label];
      }
    }
    if (!any && !this.tiles.has(key)) return;
    if (!this.tiles.has(key)) {
      this.tiles.set(key, Object.assign(document.createElement('canvas'), {
        width: TILE, height: TILE}));
    }
    this.tiles.get(key).getContext('2d').putImageData(
      new ImageData(new Uint8ClampedArray(pixels.buffer), x1 - x0, y1 - y0),
      x0 - column * TILE, y0 - row * TILE);
  }

  // What lies in a rectangle of the screen; pixels of labels are seen as pixels
  draw(c, {x, y, scale}, rect) {
    if (!this.isShown) return;
    const side = TILE * this.step * scale;
    c.imageSmoothingEnabled = false;
    for (const [key, tile] of this.tiles) {
      // whole pixels of the screen: no seams between tiles
      const left = Math.round(x + (key % 65536) * side);
      const top = Math.round(y + Math.floor(key / 65536) * side);
      const right = Math.round(x + (key % 65536 + 1) * side);
      const bottom = Math.round(y + (Math.floor(key / 65536) + 1) * side);
      if (right > rect.left && bottom > rect.top && left < rect.right && top < rect.bottom) {
        c.drawImage(tile, left, top, right - left, bottom - top);
      }
    }
  }
}
