# What the host can ask, growing into more hardware, power, and the loop.
our $agent_id = '';

sub hello {
    my $known = identity();
    my $result = {
        version => number($VERSION), agentId => $agent_id, bootId => boot_id(), uptimeMs => number(monotonic_ms()),
        image => defined $main::image_name ? $main::image_name : 'unknown', listening => truth(defined $ssh_socket),
    };
    $result->{instanceId} = $known->{instanceId} if defined $known;
    return $result;
}

my %answers = (
    'hello' => sub { return hello() },
    'personalize' => \&personalize,
    'refresh' => \&refresh,
    'seal' => \&seal,
    'resize.online' => \&resize_online,
    'activity' => \&activity,
    'sync' => sub { sys_sync(); return {} },
    'shutdown' => \&power_off,
    'workload.input' => \&workload_input,
    'workload.start' => \&workload_start,
    'workload.status' => \&workload_status,
    'workload.log' => \&workload_log,
    'workload.results' => \&workload_results,
    'workload.cancel' => \&workload_cancel,
    'workload.interrupt' => \&workload_interrupt,
    'workload.acknowledge' => \&workload_acknowledge,
);

sub answer {
    my ($method, $request, $payload) = @_;
    my $code = $answers{$method} or die "unsupported: no method $method\n";
    return $code->($request, $payload);
}

# Takes processors and memory that were plugged in, and grows the root file system to its disk. What
# was plugged in a moment ago the kernel shows a moment later: it is waited for, two seconds at most.
sub resize_online {
    my ($ask) = @_;
    my ($cpus, $bytes) = map { defined $ask->{$_} ? count_field($ask, $_) : 0 } 'cpus', 'memoryBytes';
    for (1 .. 100) {
        take_online();
        last if cpus_online() >= $cpus && memory_shown() >= $bytes;
        select undef, undef, undef, 0.02;
    }
    grow_root($ask);
    $cpus = cpus_online();
    my ($memory) = read_file('/proc/meminfo') =~ /^MemTotal:\s*(\d+) kB/m;
    return { cpus => number($cpus), memoryBytes => number($memory * 1024), rootBytes => number(root_bytes()) };
}

sub take_online {
    for my $kind (['cpu', 'online', '1'], ['memory', 'state', 'online']) {
        my ($folder, $file, $value) = @$kind;
        for my $name (names_in("/sys/devices/system/$folder")) {
            my $path = "/sys/devices/system/$folder/$name/$file";
            my $present = read_file($path);
            next unless defined $present && $present =~ /^(0|offline)$/m;
            if (open my $handle, '>', $path) { syswrite $handle, $value }
        }
    }
}

sub cpus_online { return scalar grep { /^processor\s*:/ } split /\n/, read_file('/proc/cpuinfo') }

# In blocks of 128 MiB and more, so a little more than there is; a kernel without them shows none.
sub memory_shown {
    my $folder = '/sys/devices/system/memory';
    my $block = read_file("$folder/block_size_bytes");
    return ~0 unless defined $block;
    chomp $block;
    my $blocks = grep { /^memory\d+$/ } names_in($folder);
    return $blocks * hex $block;
}

sub root_bytes {
    my $text = read_file('/sys/class/block/vda/size');
    return defined $text ? 512 * $text : 0;
}

# EXT4_IOC_RESIZE_FS: the kernel grows the mounted file system itself; to the size that it has
# already this does nothing. A disk that the host has just grown shows its size a moment later.
sub grow_root {
    my ($ask) = @_;
    my $expected = defined $ask->{diskBytes} ? count_field($ask, 'diskBytes') : 0;
    for (1 .. 200) {
        last if root_bytes() >= $expected;
        select undef, undef, undef, 0.01;
    }
    die "the disk has not grown to $expected bytes\n" if root_bytes() < $expected;
    my $blocks = int(root_bytes() / 4096);
    return unless $blocks;
    sysopen my $root, '/', 0 or die "cannot open the root: $!\n";
    my $argument = pack 'Q', $blocks;
    ioctl $root, 0x40086610, $argument or die "cannot grow the root file system: $!\n";
}

sub sync_later {
    my $process = fork;
    if (defined $process && $process == 0) { sys_sync(); sys_exit(0) }
}

# Answers first: the machine goes down a moment later.
our $power_off_asked = 0;
sub power_off { $power_off_asked = 1; return {} }

sub power_off_now {
    if ($main::is_init) { kill 12, 1 }    # SIGUSR2
    else { run_program('systemctl', 'poweroff', '--no-block') }
    $power_off_asked = 0;
}

our ($notify_socket, $log_told, $state_told) = (undef, -1, '');

sub notify_open {
    socket $notify_socket, 1, 2 | 04000 | 02000000, 0 or return;
    bind $notify_socket, pack('S a*', 1, "\0millrace-agent");
}

# The workload moved: tell the host how far it is.
sub notify_read {
    1 while defined recv $notify_socket, my $message, 16, 0;
    my $status = workload_status();
    return if $status->{state} eq $state_told && (-s "$WORK/log" || 0) == $log_told;
    ($state_told, $log_told) = ($status->{state}, -s "$WORK/log" || 0);
    channel_event({ event => 'workload', %$status });
}

# After a restart inside the machine the agent goes on with the identity on the disk, unless the
# host says by the kernel's command line that this is to be another instance.
sub resume_identity {
    my $known = identity() or return;
    my $named = kernel_argument('millrace.instance');
    return if defined $named && $named ne $known->{instanceId};
    sys_sethostname($known->{hostname});
    apply_network($known->{network}) if defined $known->{network};
    ssh_listen() if -s $HOST_KEY;
}

sub run_agent {
    $agent_id = join '-', boot_id(), $$, monotonic_ms();
    $SIG{PIPE} = 'IGNORE';
    $SIG{CHLD} = sub { };
    make_directories($STATE, 0711);
    eval { bring_up_loopback() };
    eval { resume_identity() };
    say_on_console("identity: $@") if $@;
    notify_open();
    while (!channel_open()) { select undef, undef, undef, 0.2 }
    channel_read();
    say_on_console('agent ready') if $main::is_init;
    agent_turn() while 1;
}

sub agent_turn {
    my ($read, $write) = ('', '');
    vec($read, fileno $channel, 1) = 1 if $channel_connected;
    vec($read, fileno $ssh_socket, 1) = 1 if defined $ssh_socket;
    vec($read, fileno $notify_socket, 1) = 1;
    vec($write, fileno $channel, 1) = 1 if $channel_connected && length $channel_out;
    my $ready = select $read, $write, undef, $channel_connected ? 1 : 0.1;
    delete $ssh_processes{$_} for grep { $_ > 0 } map { reap() } 1 .. 16;
    if ($ready <= 0) { ($read, $write) = ('', '') }
    channel_write() if vec $write, fileno $channel, 1;
    channel_read() if !$channel_connected || vec $read, fileno $channel, 1;
    ssh_accept() if defined $ssh_socket && vec $read, fileno $ssh_socket, 1;
    notify_read() if vec $read, fileno $notify_socket, 1;
    power_off_now() if $power_off_asked && !length $channel_out;
}

sub reap { my $process = waitpid -1, 1; return $process }
