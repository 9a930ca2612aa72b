/** Our files in the Debian image, as data: they are part of what the image is known by. */

const agentUnit = `[Unit]
Description=Millrace guest agent
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup-dev.service
Before=shutdown.target
Conflicts=shutdown.target

[Service]
ExecStart=/usr/bin/perl /usr/lib/millrace/agent.pl
Restart=always
RestartSec=200ms
# A workload and an open login outlive the agent.
KillMode=process
OOMScoreAdjust=-900

[Install]
WantedBy=sysinit.target
`;

/** Less than the default: what the agent does in any case is taken from cloud-init. */
const cloudConfig = `datasource_list: [NoCloud, None]
network: { config: disabled }
preserve_hostname: true
manage_etc_hosts: false
locale: false
apt: { preserve_sources_list: true }
ssh_deletekeys: false
ssh_genkeytypes: [ed25519]
cloud_init_modules: [bootcmd, write-files, disk_setup, mounts, ca-certs, users-groups, ssh]
cloud_config_modules: [set-passwords, apt-configure, timezone, runcmd]
cloud_final_modules:
  - package-update-upgrade-install
  - write-files-deferred
  - scripts-vendor
  - scripts-per-once
  - scripts-per-boot
  - scripts-per-instance
  - scripts-user
  - final-message
  - power-state-change
`;

/** Who may open the serial line is the host's rule; there are no passwords. */
const serialLogin = `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 - $TERM
`;

export const debianTexts: Readonly<Record<string, string>> = {
  "etc/cloud/cloud-init.disabled": "until the initramfs finds a seed disk\n",
  "etc/cloud/cloud.cfg.d/90-millrace.cfg": cloudConfig,
  "etc/hostname": "debian\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n",
  // Not empty: that would make every first boot set all units up anew. The agent replaces it.
  "etc/machine-id": "00000000000000000000000000000001\n",
  "etc/millrace/image": "debian-12\n",
  "etc/systemd/system/millrace-agent.service": agentUnit,
  "etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf": serialLogin,
};

export const debianLinks: Readonly<Record<string, string>> = {
  "etc/systemd/system/default.target": "/lib/systemd/system/multi-user.target",
  "etc/systemd/system/sysinit.target.wants/millrace-agent.service":
    "/etc/systemd/system/millrace-agent.service",
};

/** Units that a virtual machine of this kind has no use for; each costs an emulated one time. */
export const debianMasks: readonly string[] = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "getty@tty1.service",
  "modprobe@.service",
  "systemd-ask-password-console.path",
  "systemd-ask-password-wall.path",
  "systemd-binfmt.service",
  "systemd-firstboot.service",
  "systemd-hwdb-update.service",
  "systemd-machine-id-commit.service",
  "systemd-pstore.service",
  "systemd-random-seed.service",
  "systemd-remount-fs.service",
  "systemd-repart.service",
  "systemd-update-utmp.service",
  "systemd-update-utmp-runlevel.service",
  "dev-hugepages.mount",
  "dev-mqueue.mount",
  "sys-fs-fuse-connections.mount",
  "sys-kernel-config.mount",
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
];
