/**
 * The live feed: one WebSocket, a snapshot and then revisioned deltas.
 *
 * Flow: gateway -> feed -> picture -> every page
 * Why: a feed that is silent for longer than SILENT_MS is lost, also when the socket looks open.
 * Never: shows anything; it hands messages on and says whether it is connected.
 */
import type { Delta, Snapshot } from "../api/types";

/** The gateway speaks at least once a second (its own system tags), so ten seconds of silence is a lost line. */
const SILENT_MS = 10_000;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;

export interface Listener {
  take(message: Snapshot | Delta): void;
  connected(isConnected: boolean): void;
  refused(): void;
}

export class Feed {
  private socket: WebSocket | null = null;
  private rev: number | null = null;
  private retries = 0;
  private retryTimer: number | undefined;
  private silence: number | undefined;
  private isStopped = true;

  constructor(private readonly listener: Listener) {}

  start(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    this.retries = 0;
    this.open();
    window.addEventListener("online", this.hurry);
  }

  stop(): void {
    this.isStopped = true;
    this.rev = null;
    window.removeEventListener("online", this.hurry);
    window.clearTimeout(this.retryTimer);
    window.clearTimeout(this.silence);
    this.drop();
  }

  /** Begin anew with a snapshot, without calling it a lost line. */
  again(): void {
    if (this.isStopped) return;
    this.rev = null;
    this.drop();
    this.open();
  }

  private readonly hurry = (): void => {
    if (this.socket !== null || this.isStopped) return;
    window.clearTimeout(this.retryTimer);
    this.open();
  };

  private open(): void {
    const url = new URL("api/v1/live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    if (this.rev !== null) url.searchParams.set("since", String(this.rev));
    const socket = new WebSocket(url);
    this.socket = socket;
    let isOpen = false;
    this.watch();
    socket.onopen = () => {
      isOpen = true;
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      if (socket !== this.socket) return;
      this.watch();
      const message = JSON.parse(event.data) as Snapshot | Delta;
      if (message.kind !== "snapshot" && message.kind !== "delta") return;
      // A delta that we have already seen is merged into a later one; a snapshot always counts.
      if (message.kind === "delta" && this.rev !== null && message.rev <= this.rev) return;
      if (message.kind === "delta" && this.rev === null) return;
      this.rev = message.rev;
      this.retries = 0;
      this.listener.take(message);
      this.listener.connected(true);
    };
    socket.onclose = (event: CloseEvent) => {
      if (socket !== this.socket) return;
      // A refused handshake has no code of its own in a browser; whoever listens asks whether we are still logged in.
      if (!isOpen || event.code === 4401) this.listener.refused();
      this.lose();
    };
  }

  private watch(): void {
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => this.lose(), SILENT_MS);
  }

  private lose(): void {
    window.clearTimeout(this.silence);
    this.drop();
    if (this.isStopped) return;
    this.listener.connected(false);
    const wait = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.retries);
    this.retries += 1;
    // Full jitter: after a restart of the gateway not all pages come back in the same moment.
    this.retryTimer = window.setTimeout(() => this.open(), wait / 2 + (Math.random() * wait) / 2);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
