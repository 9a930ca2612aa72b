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
