/** What every object that we write begins with. Only the fields that we use; see the README. */

export type Labels = Readonly<Record<string, string>>;

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
}

/** Amounts by the name of a resource, as Kubernetes writes them: `{ cpu: "2667m" }`. */
export type Amounts = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly Requirement[];
}

export interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** Names another object of some group and kind. */
export interface Reference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}
