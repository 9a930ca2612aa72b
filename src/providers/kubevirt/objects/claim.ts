/** A claim of devices of a class (dynamic resource allocation), made anew for each pod. */
import type { Metadata } from "./meta.ts";

export interface ResourceClaimTemplate {
  readonly apiVersion: "resource.k8s.io/v1";
  readonly kind: "ResourceClaimTemplate";
  readonly metadata: Metadata;
  readonly spec: {
    readonly spec: {
      readonly devices: {
        readonly requests: readonly {
          readonly name: string;
          readonly exactly: {
            readonly deviceClassName: string;
            readonly allocationMode: "ExactCount";
            readonly count: number;
          };
        }[];
      };
    };
  };
}
