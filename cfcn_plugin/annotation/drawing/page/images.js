// The images of the page, decoded, with the next one fetched while this one is drawn on.
import {ask, askJson} from './api.js';

const KEPT = 4;  // images that stay decoded

export class Images {
  bitmaps = new Map();

  get(index) {
    if (!this.bitmaps.has(index)) {
      const loaded = ask(`image/${index}`).then(answer => answer.blob())
        .then(blob => createImageBitmap(blob));
      loaded.catch(() => this.bitmaps.delete(index));
      this.bitmaps.set(index, loaded);
    }
    const found = this.bitmaps.get(index);
    this.bitmaps.delete(index);
    this.bitmaps.set(index, found);  // the last that goes
    if (this.bitmaps.size > KEPT) this.bitmaps.delete(this.bitmaps.keys().next().value);
    return found;
  }

  async prefetch(after) {
    try {
      const {index} = await askJson('next', {after});
      if (index !== null) await this.get(index);
    } catch { /* it is asked for again when it is opened */ }
  }
}
