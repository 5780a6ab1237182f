/** Displays as they are composed: each picture is drawn on a canvas, then the next is asked for. */
import { byId, html } from './dom.ts';
import { drawnMessage, type DisplayPlan, type Hello } from './message.ts';
import {
  displayOfPicture,
  PICTURE_HEADER_BYTES,
  tileGridOf,
  tilesOf,
  type TileGrid,
} from './picture.ts';

interface Canvas {
  readonly grid: TileGrid;
  readonly element: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  pictures: number;
}

export class DisplayView {
  private readonly section = byId('displays');
  private readonly send: (text: string) => void;
  private canvases: readonly Canvas[] = [];

  constructor(send: (text: string) => void) {
    this.send = send;
  }

  begin({ displays }: Hello): void {
    this.section.hidden = displays.length === 0;
    this.section.replaceChildren();
    this.canvases = displays.map((display) => this.canvas(display));
  }

  private canvas({ id, widthPx, heightPx }: DisplayPlan): Canvas {
    const element = html('canvas', {
      width: widthPx,
      height: heightPx,
      role: 'img',
      'aria-label': `Display ${id}, ${widthPx} by ${heightPx} pixels, as it is composed`,
      'data-display': id,
    });
    const title = html('h2', {}, `Display ${id}`);
    const size = html('span', { class: 'muted' }, `${widthPx} × ${heightPx}`);
    const head = html('div', { class: 'head' }, title, size);
    this.section.append(html('div', { class: 'panel display' }, head, element));
    const context = element.getContext('2d', { alpha: false })!;
    return { grid: tileGridOf({ widthPx, heightPx }), element, context, pictures: 0 };
  }

  /** A hidden page is sent nothing, because it does not say that it has drawn. */
  async show(picture: Uint8Array<ArrayBuffer>): Promise<void> {
    const display = displayOfPicture(picture);
    const canvas = this.canvases[display];
    if (!canvas) return;
    const body = await inflated(picture.subarray(PICTURE_HEADER_BYTES));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    for (const { rgba, x, y, width } of tilesOf(body, canvas.grid))
      canvas.context.putImageData(new ImageData(rgba, width), x, y);
    canvas.element.dataset['pictures'] = String(++canvas.pictures);
    this.send(drawnMessage(display));
  }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
