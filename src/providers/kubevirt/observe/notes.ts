/** What to know of a machine besides its state: a restart that is due, that it cannot move, and so on. */
import type { SeenTogether } from "./condition.ts";
import type { Explanation } from "./explanation.ts";
import { type Condition, conditionOf, isTrue, type SeenInstance } from "./seen.ts";

export function notesOf({ machine, instance }: SeenTogether): readonly Explanation[] {
  const found: Explanation[] = [];
  const restart = machine === undefined ? undefined : conditionOf(machine, "RestartRequired");
  if (restart?.status === "True") found.push(restartRequired(restart));
  if (machine?.status?.snapshotInProgress !== undefined) {
    found.push({
      code: "snapshot_in_progress",
      for: "nobody",
      message: "A snapshot of the machine is being taken.",
      action: "Its writes may wait for a moment.",
    });
  }
  return instance === undefined ? found : [...found, ...instanceNotes(instance)];
}

function instanceNotes(instance: SeenInstance): readonly Explanation[] {
  const found: Explanation[] = [];
  const migratable = conditionOf(instance, "LiveMigratable");
  if (migratable?.status === "False") found.push(notMigratable(instance, migratable));
  const leaving = instance.status?.evacuationNodeName;
  if (leaving !== undefined && leaving !== "") found.push(evacuation(leaving, migratable));
  if (instance.status?.phase === "Running" && !isTrue(instance, "AgentConnected")) {
    found.push({
      code: "guest_agent_silent",
      for: "customer",
      message: "The agent in the guest has not answered.",
      action: "Wait until it has booted; if it stays so, install and start qemu-guest-agent in it.",
    });
  }
  const { migrationState: moved } = instance.status ?? {};
  if (moved?.failed === true) {
    found.push({
      code: "move_failed",
      for: "operator",
      message: `The machine could not be moved${moved.failureReason === undefined ? "" : `: ${moved.failureReason}`}. It runs on where it was.`,
      action:
        "Look at the network between the nodes and at room on the other one, and move it again.",
      details: { said: moved.failureReason ?? "" },
    });
  } else if (moved !== undefined && moved !== null && !moved.completed) {
    found.push({
      code: "moving",
      for: "nobody",
      message:
        moved.targetNode === undefined
          ? "The machine moves while it runs."
          : `The machine moves to ${moved.targetNode} while it runs.`,
      action: "It may stand still for a moment at the end.",
    });
  }
  return found;
}

function restartRequired({ message }: Condition): Explanation {
  return {
    code: "restart_required",
    for: "customer",
    message: "A change of the machine is stored and takes effect when it is started again.",
    action: "Stop it and start it again when it suits you: a reboot is not enough.",
    details: { said: message ?? "" },
  };
}

function notMigratable(instance: SeenInstance, { reason, message }: Condition): Explanation {
  // What to do follows it.
  const said = (message ?? reason ?? "").replace(/[.\s]+$/u, "");
  const gpu = instance.spec.domain.devices.gpus.length > 0 || said.includes("GPU");
  return {
    code: "not_migratable",
    for: gpu ? "nobody" : "operator",
    message: gpu
      ? "A machine with a GPU cannot move while it runs."
      : `The machine cannot move while it runs: ${said}.`,
    action: gpu
      ? "When its node is maintained, you are told: stop and start it when it suits you, and it comes up on another node."
      : "For disks, use storage that several nodes may open at once (ReadWriteMany).",
    details: { said },
  };
}

function evacuation(node: string, migratable: Condition | undefined): Explanation {
  const moves = migratable?.status !== "False";
  return {
    code: "node_is_drained",
    for: moves ? "nobody" : "customer",
    message: `Node ${node}, where the machine runs, is to be emptied.`,
    action: moves
      ? "It moves to another node while it runs."
      : "It cannot move while it runs: stop and start it when it suits you, and it comes up on another node.",
    details: { node, moves },
  };
}
