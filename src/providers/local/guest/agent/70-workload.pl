# One workload per machine: its inputs, its log, its results and how it ended lie in files until
# the host acknowledges them, so neither a lost connection nor a new agent loses or repeats a byte.
# The process that watches it (80-supervisor.pl) lives apart from the agent.
our $WORK = "$STATE/workload";
our $CHUNK_BYTES_MAX = 512 * 1024;

sub workload_state {
    my $text = read_file("$WORK/state");
    my $state = defined $text ? eval { from_json($text) } : undef;
    return ref $state eq 'HASH' ? $state : undef;
}

sub workload_save {
    my ($state) = @_;
    my %copy = %$state;
    for my $name (qw(startedAt endedAt supervisor supervisorStart exitCode resultsBytes droppedLogBytes)) {
        $copy{$name} = number($copy{$name}) if defined $copy{$name} && !ref $copy{$name};
    }
    $copy{canceled} = truth($copy{canceled}) if defined $copy{canceled};
    write_file_durably("$WORK/state", to_json(\%copy), 0600);
}

# A chunk of the inputs, a tar file. Chunks come in order; one that was written already is welcome.
sub workload_input {
    my ($ask, $bytes) = @_;
    my $id = text_field($ask, 'workloadId', qr/^[0-9A-Za-z-]{1,64}$/);
    my $offset = count_field($ask, 'offset');
    die "invalid: no payload\n" unless defined $bytes;
    my $state = workload_state();
    die "busy: the workload has started\n" if defined $state;
    make_directories($WORK, 0711);
    my $path = "$WORK/inputs-$id.tar";
    my $size = -s $path || 0;
    die "invalid: bytes before offset $offset are missing, there are $size\n" if $offset > $size;
    sysopen my $file, $path, 02 | 0100, 0644 or die "cannot write the inputs: $!\n";
    sysseek $file, $offset, 0;
    my $written = syswrite $file, $bytes;
    die "no_space: the inputs do not fit on the disk: $!\n" unless defined $written && $written == length $bytes;
    return { bytes => number(-s $path) };
}

sub workload_start {
    my ($ask) = @_;
    my $id = text_field($ask, 'workloadId', qr/^[0-9A-Za-z-]{1,64}$/);
    my $state = workload_state();
    if (defined $state) {
        die "busy: another workload is here\n" if $state->{workloadId} ne $id;
        return workload_status();
    }
    my $command = $ask->{command};
    ref $command eq 'ARRAY' && @$command && !grep { !defined $_ || ref $_ } @$command or die "invalid: command\n";
    my $environment = defined $ask->{environment} ? $ask->{environment} : {};
    ref $environment eq 'HASH' && !grep { ref $_ || !defined $_ } values %$environment or die "invalid: environment\n";
    my $checkpoint = $ask->{checkpoint};
    !defined $checkpoint or ref $checkpoint eq 'ARRAY' && @$checkpoint && !grep { !defined $_ || ref $_ } @$checkpoint
        or die "invalid: checkpoint\n";
    my $directory = defined $ask->{workDirectory} ? $ask->{workDirectory} : '/work';
    $directory =~ m{^(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$} or die "invalid: workDirectory\n";
    my $inputs = count_field($ask, 'inputsBytes');
    my $present = -s "$WORK/inputs-$id.tar" || 0;
    die "invalid: $present of $inputs bytes of the inputs are here\n" if $present != $inputs;

    make_directories($WORK, 0711);
    my %plan = (
        id => $id, command => $command, environment => $environment, directory => $directory, inputs => $inputs,
        checkpoint => $checkpoint,
        time_limit_ms => 1000 * count_field($ask, 'timeLimitSeconds'),
        log_max => count_field($ask, 'logBytesMax'), results_max => count_field($ask, 'resultsBytesMax'),
    );
    pipe my $reader, my $writer or die "no pipe: $!\n";
    my $process = fork;
    die "cannot fork: $!\n" unless defined $process;
    if ($process == 0) {
        close $reader;
        supervise(\%plan, $writer);
        sys_exit(0);
    }
    close $writer;
    sysread $reader, my $started, 1;    # the state is on the disk: from here on it is a workload
    return workload_status();
}

sub count_field {
    my ($ask, $name) = @_;
    my $value = $ask->{$name};
    die "invalid: $name\n" unless defined $value && $value =~ /^\d{1,15}$/;
    return $value;
}

# What the state file says, unless its supervisor is gone: then the platform lost the workload.
sub workload_status {
    my $state = workload_state();
    return { state => 'none' } unless defined $state;
    if ($state->{state} ne 'ended' && !supervisor_lives($state)) {
        $state = { %$state, state => 'ended', end => 'platform_fault', endedAt => epoch_ms(),
            detail => $state->{bootId} eq boot_id() ? 'the supervising process is gone' : 'the machine restarted' };
        workload_save($state);
    }
    my %status = (
        state => $state->{state}, workloadId => $state->{workloadId}, logBytes => number(-s "$WORK/log" || 0),
        droppedLogBytes => number($state->{droppedLogBytes} || 0), canceled => truth($state->{canceled}),
    );
    for my $name (qw(startedAt endedAt exitCode resultsBytes)) {
        $status{$name} = number($state->{$name}) if defined $state->{$name};
    }
    for my $name (qw(end signal detail resultsProblem)) { $status{$name} = $state->{$name} if defined $state->{$name} }
    return \%status;
}

sub supervisor_lives {
    my ($state) = @_;
    my $process = $state->{supervisor};
    return $state->{bootId} eq boot_id() && process_start($process) == $state->{supervisorStart};
}

# Start time of a process in clock ticks since boot, which tells it from a later one of that number.
sub process_start {
    my $text = read_file("/proc/$_[0]/stat");
    return 0 unless defined $text && $text =~ /^.*\) (.)(.*)/s && $1 ne 'Z';
    return (split ' ', $2)[18];
}

# Bytes of a file from an offset; empty at its end so far.
sub slice {
    my ($path, $ask) = @_;
    my ($offset, $max) = (count_field($ask, 'offset'), count_field($ask, 'bytesMax'));
    $max = $CHUNK_BYTES_MAX if $max > $CHUNK_BYTES_MAX;
    my $bytes = '';
    if (open my $file, '<', $path) {
        sysseek $file, $offset, 0;
        sysread $file, $bytes, $max;
    }
    return $bytes;
}

sub workload_log {
    my ($ask) = @_;
    my $status = workload_status();    # before the bytes: "ended" then means that nothing follows them
    die "not_found: no workload\n" if $status->{state} eq 'none';
    my $bytes = slice("$WORK/log", $ask);
    return ({ total => number(-s "$WORK/log" || 0), state => $status->{state} }, $bytes);
}

sub workload_results {
    my ($ask) = @_;
    my $status = workload_status();
    die "wrong_state: the workload has not ended\n" unless $status->{state} eq 'ended';
    die "too_large: $status->{resultsProblem}\n" if defined $status->{resultsProblem};
    return ({ total => number(-s "$WORK/results.tar" || 0) }, slice("$WORK/results.tar", $ask));
}

sub workload_cancel {
    my $state = workload_state();
    die "not_found: no workload\n" unless defined $state;
    kill 15, $state->{supervisor} if $state->{state} ne 'ended' && supervisor_lives($state);
    return workload_status();
}

# Told to save its work and to end, or, with no `graceMs`, that it may go on after all. The supervisor
# finds the file: a file is neither lost nor seen by a program that was started before.
sub workload_interrupt {
    my ($ask) = @_;
    my $state = workload_state();
    die "not_found: no workload\n" unless defined $state;
    if (!defined $ask->{graceMs}) { unlink "$WORK/interrupt" }
    elsif ($state->{state} ne 'ended' && !-e "$WORK/interrupt") {
        write_file_durably("$WORK/interrupt", count_field($ask, 'graceMs'), 0600);
    }
    return workload_status();
}

# Milliseconds that it is given to save its work; undefined while nobody has told it to.
sub interrupt_grace_ms {
    my $text = read_file("$WORK/interrupt");
    return defined $text && $text =~ /^(\d{1,15})$/ ? $1 : undef;
}

sub workload_acknowledge {
    my ($ask) = @_;
    my $status = workload_status();
    return {} if $status->{state} eq 'none';
    die "busy: another workload is here\n" if $status->{workloadId} ne $ask->{workloadId};
    die "wrong_state: the workload has not ended\n" unless $status->{state} eq 'ended';
    workload_forget();
    return {};
}

sub workload_forget {
    my $state = workload_state();
    kill 9, $state->{supervisor} if defined $state && $state->{state} ne 'ended' && supervisor_lives($state);
    unlink map { "$WORK/$_" } names_in($WORK);
}
