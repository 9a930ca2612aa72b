/** Open tasks of one customer, and saying what was done about one. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { TextArea } from "#console/ui/fields.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { SignBadge } from "./badges.tsx";

export type Task = ItemOf<"listCustomerTasks">;

export function TaskList({ of }: { readonly of: readonly Task[] }): ReactNode {
  return (
    <ul className="plain-list">
      {of.map((task) => (
        <li key={task.id} className="line">
          <Row gap="sm">
            <SignBadge sign={task.kind} />
            <span>{task.text}</span>
            <Muted>
              <When at={task.createdAt} />
            </Muted>
          </Row>
          <span className="nowrap" style={{ flexShrink: 0 }}>
            <FinishButton task={task} />
          </span>
        </li>
      ))}
    </ul>
  );
}

export function FinishButton({ task }: { readonly task: Task }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        size="xs"
        onClick={() => setOpen(true)}
        disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
      >
        {t("customers.finish")}
      </Button>
      {isOpen ? <FinishDialog task={task} onClose={() => setOpen(false)} /> : null}
    </>
  );
}

function FinishDialog({
  task,
  onClose,
}: {
  readonly task: Task;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [note, setNote] = useState("");
  const finish = useAction("finishCustomerTask", { onDone: onClose });
  const request = { params: { taskId: task.id }, body: { note: note.trim() } };
  return (
    <FormDialog
      title={t("customers.finishTitle", { name: task.tenant })}
      onClose={onClose}
      submitLabel={t("customers.finish")}
      isBusy={finish.isPending}
      error={finish.error}
      disabledReason={note.trim() === "" ? t("customers.noteNeeded") : undefined}
      call={{ operation: "finishCustomerTask", request }}
      onSubmit={() => finish.mutate(request)}
    >
      <Text>{task.text}</Text>
      <TextArea
        label={t("customers.whatWasDone")}
        description={t("customers.whatWasDoneHelp")}
        value={note}
        onChange={setNote}
        maxLength={2000}
        required
        error={fieldError(finish.error, "note")}
      />
    </FormDialog>
  );
}
