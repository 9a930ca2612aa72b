/** Objects of Kubernetes itself as we write them: a tenant's namespace and what stands in it. */
import type { Amounts, Labels, LabelSelector, Metadata } from "./meta.ts";

export interface Namespace {
  readonly apiVersion: "v1";
  readonly kind: "Namespace";
  readonly metadata: Metadata;
}

export interface ServiceAccount {
  readonly apiVersion: "v1";
  readonly kind: "ServiceAccount";
  readonly metadata: Metadata;
  readonly automountServiceAccountToken: boolean;
}

export interface Secret {
  readonly apiVersion: "v1";
  readonly kind: "Secret";
  readonly metadata: Metadata;
  readonly type: "Opaque";
  /** Base64 of each. */
  readonly data: Labels;
}

export interface Service {
  readonly apiVersion: "v1";
  readonly kind: "Service";
  readonly metadata: Metadata;
  readonly spec: {
    readonly type: "ClusterIP" | "NodePort" | "LoadBalancer";
    readonly selector: Labels;
    readonly ports: readonly {
      readonly name: string;
      readonly port: number;
      readonly targetPort: number;
      readonly protocol: "TCP" | "UDP";
    }[];
    readonly loadBalancerSourceRanges?: readonly string[];
    /** `Local`: only the node that the pod is on takes it, and the sender's address stays. */
    readonly externalTrafficPolicy?: "Local" | "Cluster";
  };
}

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

export interface Role {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "Role";
  readonly metadata: Metadata;
  readonly rules: readonly PolicyRule[];
}

export interface RoleBinding {
  readonly apiVersion: "rbac.authorization.k8s.io/v1";
  readonly kind: "RoleBinding";
  readonly metadata: Metadata;
  readonly roleRef: {
    readonly apiGroup: "rbac.authorization.k8s.io";
    readonly kind: "Role";
    readonly name: string;
  };
  readonly subjects: readonly (
    | { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string }
    | {
        readonly kind: "User" | "Group";
        readonly name: string;
        readonly apiGroup: "rbac.authorization.k8s.io";
      }
  )[];
}

export interface ResourceQuota {
  readonly apiVersion: "v1";
  readonly kind: "ResourceQuota";
  readonly metadata: Metadata;
  readonly spec: { readonly hard: Amounts };
}

export interface LimitRange {
  readonly apiVersion: "v1";
  readonly kind: "LimitRange";
  readonly metadata: Metadata;
  readonly spec: {
    readonly limits: readonly {
      readonly type: "Container" | "PersistentVolumeClaim";
      readonly defaultRequest?: Amounts;
      readonly min?: Amounts;
      readonly max?: Amounts;
    }[];
  };
}

export interface NetworkPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface NetworkPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

export interface NetworkPolicy {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: Metadata;
  readonly spec: {
    readonly podSelector: LabelSelector;
    readonly policyTypes: readonly ("Ingress" | "Egress")[];
    readonly ingress?: readonly {
      readonly from?: readonly NetworkPeer[];
      readonly ports?: readonly NetworkPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly NetworkPeer[];
      readonly ports?: readonly NetworkPort[];
    }[];
  };
}

export interface AdmissionPolicy {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicy";
  readonly metadata: Metadata;
  readonly spec: {
    readonly failurePolicy: "Fail" | "Ignore";
    readonly matchConstraints: {
      readonly resourceRules: readonly {
        readonly apiGroups: readonly string[];
        readonly apiVersions: readonly string[];
        readonly operations: readonly ("CREATE" | "UPDATE")[];
        readonly resources: readonly string[];
      }[];
    };
    readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
    readonly variables?: readonly { readonly name: string; readonly expression: string }[];
    readonly validations: readonly {
      readonly expression: string;
      readonly message: string;
      readonly reason: "Forbidden" | "Invalid";
    }[];
  };
}

export interface AdmissionPolicyBinding {
  readonly apiVersion: "admissionregistration.k8s.io/v1";
  readonly kind: "ValidatingAdmissionPolicyBinding";
  readonly metadata: Metadata;
  readonly spec: {
    readonly policyName: string;
    readonly validationActions: readonly ("Deny" | "Warn" | "Audit")[];
    readonly matchResources: { readonly namespaceSelector: LabelSelector };
  };
}
