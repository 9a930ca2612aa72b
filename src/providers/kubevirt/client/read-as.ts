import { ConnectionError } from "./errors.ts";

/** What a 2xx said; a body of another form comes from something that is no API server. */
export function readAs<T>(read: (value: unknown) => T, value: unknown): T {
  try {
    return read(value);
  } catch (error) {
    throw new ConnectionError("the answer is not one of a Kubernetes API server", {
      effect: "maybe",
      cause: error,
    });
  }
}
