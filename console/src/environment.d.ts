/** What the bundler gives that TypeScript cannot see. */
declare module "*.css";

declare module "virtual:operations" {
  import type { Method, Permission, Transport } from "#contract/operation.ts";
  import type { OperationId } from "#contract/operations.ts";

  /** `transport` where it is not JSON. */
  type Row = readonly [
    method: Method,
    path: string,
    permission: Permission,
    takesBody: boolean,
    transport?: Transport,
  ];
  export const operations: Readonly<Record<OperationId, Row>>;
}

declare module "virtual:texts" {
  type Load = () => Promise<object>;
  interface Loaders {
    /** What every page shows, by area. */
    readonly frame: Load;
    readonly areas: Readonly<Record<string, Load>>;
  }
  export const loaders: Readonly<Record<"en" | "zh-CN", Loaders>>;
  /** By the path of a page in the table: the areas that it needs besides the frame's. */
  export const areasOf: Readonly<Record<string, readonly string[]>>;
}

/** As far as it is used here; its package has no types. */
declare module "@novnc/novnc" {
  export default class RFB extends EventTarget {
    constructor(
      place: HTMLElement,
      channel: string | WebSocket,
      options?: { readonly shared?: boolean; readonly wsProtocols?: readonly string[] },
    );
    scaleViewport: boolean;
    background: string;
    focusOnClick: boolean;
    disconnect(): void;
    focus(): void;
    sendCtrlAltDel(): void;
  }
}
