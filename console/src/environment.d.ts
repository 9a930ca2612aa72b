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
