/** Dialogs and drawers. Focus goes in and comes back. No part of the first load. */
import { Drawer as MantineDrawer, Modal } from "@mantine/core";
import type { ReactNode } from "react";

interface Over {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  /** Of the button that closes it. */
  readonly closeLabel: string;
  readonly children: ReactNode;
}

export function Dialog({
  isOpen,
  onClose,
  title,
  closeLabel,
  children,
  size = "md",
}: Over & { readonly size?: "sm" | "md" | "lg" | "xl" }): ReactNode {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={title}
      size={size}
      closeButtonProps={{ "aria-label": closeLabel }}
      overlayProps={{ backgroundOpacity: 0.45 }}
      styles={{ title: { fontWeight: 600, fontSize: "1.0625rem" } }}
    >
      {children}
    </Modal>
  );
}

export function Drawer({
  isOpen,
  onClose,
  title,
  closeLabel,
  children,
  side = "right",
  size = "md",
}: Over & { readonly side?: "left" | "right"; readonly size?: "sm" | "md" | "lg" }): ReactNode {
  return (
    <MantineDrawer
      opened={isOpen}
      onClose={onClose}
      title={title}
      position={side}
      size={{ sm: "18rem", md: "28rem", lg: "44rem" }[size]}
      closeButtonProps={{ "aria-label": closeLabel }}
      styles={{ title: { fontWeight: 600 } }}
    >
      {children}
    </MantineDrawer>
  );
}
