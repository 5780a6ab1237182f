/** Who may look: pages that came from this server, by a name that only this machine answers. */
import { LOOPBACK, type HttpAnswer, type HttpRequest } from '../host/http-server.ts';

const NAMES = [LOOPBACK, 'localhost'];
export const LIVE_PATH = '/live';

/**
 * Nothing but this server's own files and its own socket; no inline script or style, no evaluation,
 * and no other page may frame it.
 */
function securityHeaders(port: number): Readonly<Record<string, string>> {
  const sockets = NAMES.map((name) => `ws://${name}:${port}`).join(' ');
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ${sockets}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  };
}

export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export class Access {
  private readonly headers: Readonly<Record<string, string>>;
  private readonly hosts: readonly string[];

  constructor(port: number) {
    this.headers = securityHeaders(port);
    this.hosts = NAMES.map((name) => `${name}:${port}`);
  }

  /**
   * The answer to a request for a file. A page of another origin can make a browser ask for another
   * name that leads here (DNS rebinding), but not change the name that it asks for.
   */
  // [impl->req~dash.same-origin~1]
  // [impl->req~dash.read-only~1]
  answer(request: HttpRequest, assets: ReadonlyMap<string, Asset>): HttpAnswer {
    if (!this.isOwnHost(request.host)) return this.refusal(421, 'not the name of this server');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return this.refusal(405, 'there is nothing to change here', { allow: 'GET, HEAD' });
    const asset = assets.get(request.path);
    if (!asset) return this.refusal(404, 'there is nothing of that name');
    return {
      status: 200,
      headers: { ...this.headers, 'content-type': asset.type },
      body: asset.bytes,
    };
  }

  /** Browsers always name the origin of a page that opens a socket; who does not is no browser. */
  // [impl->req~dash.same-origin~1]
  refuseSocket(request: HttpRequest): HttpAnswer | undefined {
    if (!this.isOwnHost(request.host)) return this.refusal(421, 'not the name of this server');
    if (!this.hosts.some((host) => request.origin === `http://${host}`))
      return this.refusal(403, 'not a page of this server');
    return request.path === LIVE_PATH ? undefined : this.refusal(404, 'no such socket');
  }

  private isOwnHost(host: string | undefined): boolean {
    return host !== undefined && this.hosts.includes(host.toLowerCase());
  }

  private refusal(status: number, why: string, more: Record<string, string> = {}): HttpAnswer {
    const headers = { ...this.headers, ...more, 'content-type': 'text/plain; charset=utf-8' };
    return { status, headers, body: new TextEncoder().encode(`${why}\n`) };
  }
}
