# How it starts: as the first program of the initramfs ("init"), or as a service of the image.
our ($is_init, $image_name) = (0, undef);

# One module after the other in the order of their names, which is that of their dependencies.
sub load_modules {
    for my $name (names_in('/modules')) {
        open my $file, '<', "/modules/$name" or next;
        sys_finit_module($file) or say_on_console("module $name: $!");
    }
}

sub start_from_initramfs {
    sys_mount('proc', '/proc', 'proc', 0);
    sys_mount('dev', '/dev', 'devtmpfs', 0);
    sys_mount('sys', '/sys', 'sysfs', 0);
    if (defined kernel_argument('millrace.probe')) {
        say_on_console('probe reached user space');
        sys_reboot(0x4321fedc);
    }
    load_modules();
    wait_for_path('/dev/vda');
    sys_mount('/dev/vda', '/root', 'ext4', 0x400, 'noinit_itable') or die "cannot mount the disk: $!\n";
    allow_cloud_init() if -e '/root/etc/cloud';
    $image_name = read_file('/root/etc/millrace/image');
    chomp $image_name if defined $image_name;
    sys_mount($_, "/root$_", '', 0x2000) for '/dev', '/proc', '/sys';
    chdir '/root';
    sys_mount('.', '/', '', 0x2000) or die "cannot move the root: $!\n";
    chroot '.';
    chdir '/';
    return if !-x '/sbin/init';
    open STDIN, '<', '/dev/console';
    exec { '/sbin/init' } '/sbin/init';
    die "cannot start /sbin/init: $!\n";
}

# cloud-init looks for its data for seconds even if there is none, so it is told beforehand: a
# NoCloud seed is an ISO 9660 volume of a known name.
sub allow_cloud_init {
    my $switch = '/root/etc/cloud/cloud-init.disabled';
    if (grep { is_seed("/dev/$_") } grep { /^vd[b-z]$/ } names_in('/sys/class/block')) { unlink $switch }
    elsif (!-e $switch) { write_file($switch, "no seed disk at this boot\n") }
}

sub is_seed {
    my ($path) = @_;
    open my $disk, '<', $path or return 0;
    sysseek $disk, 0x8000, 0;
    return 0 unless (sysread $disk, my $head, 72) == 72;
    return substr($head, 1, 5) eq 'CD001' && substr($head, 40, 32) =~ /^cidata/i;
}

sub wait_for_path {
    my ($path) = @_;
    for (1 .. 500) {
        return if -e $path;
        select undef, undef, undef, 0.01;
    }
    die "$path did not appear\n";
}

# PID 1 of the tiny image: mounts, then keeps the agent and a console shell running, reaps what is
# orphaned, and takes the machine down on the signals that busybox's reboot and poweroff send.
sub run_as_init {
    $is_init = 1;
    mkdir $_, 0755 for '/dev/pts', '/dev/shm';
    sys_mount('devpts', '/dev/pts', 'devpts', 0, 'gid=5,mode=620,ptmxmode=666');
    sys_mount('shm', '/dev/shm', 'tmpfs', 6, 'mode=1777');
    sys_mount('run', '/run', 'tmpfs', 6, 'mode=755');
    symlink '/proc/self/fd', '/dev/fd';
    symlink "/proc/self/fd/$_->[0]", "/dev/$_->[1]" for [0, 'stdin'], [1, 'stdout'], [2, 'stderr'];
    sys_sethostname('tiny');
    my $down;
    # They die, because Perl goes on with waitpid() after a handler that returns.
    $SIG{TERM} = sub { $down = 0x1234567; die "reboot\n" };
    $SIG{USR2} = sub { $down = 0x4321fedc; die "power off\n" };
    $SIG{USR1} = sub { $down = 0x4321fedc; die "halt\n" };
    my %running;
    eval { keep_running(\%running) while 1 };
    say_on_console("going down: $@");
    go_down(defined $down ? $down : 0x1234567);
}

sub keep_running {
    my ($running) = @_;
    for my $name ('agent', 'console') {
        next if grep { $_ eq $name } values %$running;
        my $process = fork;
        if (defined $process && $process == 0) {
            restore_signals();
            if ($name eq 'agent') { eval { run_agent() }; say_on_console("agent stopped: $@") }
            else { console_shell() }
            select undef, undef, undef, 0.2;
            sys_exit(1);
        }
        $running->{$process} = $name if defined $process;
    }
    my $ended = waitpid -1, 0;
    delete $running->{$ended} if $ended > 0;
}

# A root shell for whoever presses Enter on the serial line; who may open that line is the host's rule.
sub console_shell {
    sys_setsid();
    open my $line, '+<', '/dev/ttyS0' or select(undef, undef, undef, 3600), return;
    ioctl $line, 0x540e, 0;    # TIOCSCTTY
    open STDIN, '<&', $line;
    open STDOUT, '>&', $line;
    open STDERR, '>&', $line;
    syswrite STDOUT, "\r\nPress Enter for a shell.\r\n";
    sysread STDIN, my $key, 1;
    %ENV = (PATH => '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME => '/root', USER => 'root', TERM => 'vt100');
    chdir '/root';
    exec { '/bin/sh' } '-sh';
}

sub go_down {
    my ($how) = @_;
    $SIG{$_} = 'IGNORE' for qw(TERM USR1 USR2);
    kill 15, -1;
    my $until = monotonic_ms() + 2000;
    while (monotonic_ms() < $until) {
        last if waitpid(-1, 1) < 0;
        select undef, undef, undef, 0.02;
    }
    kill 9, -1;
    sys_sync();
    sys_mount('', '/', '', 0x21);    # remount read-only
    sys_reboot($how);
}

$ENV{PATH} = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
if ($$ == 1) {
    eval { start_from_initramfs(); run_as_init() };
    say_on_console("stopped: $@");
    sys_sync();
    select undef, undef, undef, 1;
    sys_reboot(0x4321fedc);
}
else {
    $image_name = read_file('/etc/millrace/image');
    chomp $image_name if defined $image_name;
    run_agent();
}
