// The strip of all images with their states. Only what is in sight has elements.

const HIGH = 84;  // CSS pixels of a thumbnail, as in style.css
const STATES = {o: ['open', ''], d: ['done', '✓'], s: ['skipped', '–']};

export class Thumbnails {
  constructor(element, names, open) {
    Object.assign(this, {element, names, states: '', drafts: new Set(), items: new Map()});
    this.inner = element.appendChild(document.createElement('div'));
    this.inner.style.height = `${names.length * HIGH}px`;
    element.addEventListener('scroll', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(element);
    this.inner.addEventListener('click', event => {
      const item = event.target.closest('[data-index]');
      if (item) open(Number(item.dataset.index));
    });
  }

  update(states, drafts) {
    this.states = states;
    this.drafts = new Set(drafts);
    this.draw();
  }

  goTo(index) {
    this.current = index;
    const {element} = this, top = index * HIGH;
    if (top < element.scrollTop || top + HIGH > element.scrollTop + element.clientHeight) {
      element.scrollTop = top - element.clientHeight / 2 + HIGH / 2;
    }
    this.draw();
  }

  draw() {
    const {scrollTop, clientHeight} = this.element;
    const first = Math.max(0, Math.floor(scrollTop / HIGH) - 2);
    const last = Math.min(this.names.length, Math.ceil((scrollTop + clientHeight) / HIGH) + 2);
    for (const [index, item] of this.items) {
      if (index < first || index >= last) {
        item.remove();
        this.items.delete(index);
      }
    }
    for (let index = first; index < last; index++) {
      if (!this.items.has(index)) this.items.set(index, this.add(index));
      const item = this.items.get(index);
      const [state, sign] = STATES[this.states[index] || 'o'];
      const draft = this.drafts.has(index) ? ' draft' : '';
      item.className = `thumbnail ${state}${draft}${index === this.current ? ' current' : ''}`;
      item.title = `${index + 1}: ${this.names[index]} (${state}${draft && ', not saved'})`;
      item.lastChild.textContent = draft ? '✎' : sign;
    }
  }

  add(index) {
    const item = document.createElement('button');
    item.dataset.index = index;
    item.tabIndex = -1;
    item.style.top = `${index * HIGH}px`;
    const image = item.appendChild(document.createElement('img'));
    image.src = `thumbnail/${index}`;
    image.alt = this.names[index];
    item.appendChild(document.createElement('span')).textContent = index + 1;
    item.appendChild(document.createElement('b'));
    return this.inner.appendChild(item);
  }
}
