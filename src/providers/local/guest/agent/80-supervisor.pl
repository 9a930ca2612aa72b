# The process that runs one workload: unpacks the inputs, starts the program as a user without
# rights, writes its output to the log up to the limit, keeps the time limit, ends every process
# that is left, packs the results, and only then says "ended".
our $KILL_AFTER_MS = 5000;
our $JOB_USER = 'job';

sub supervise {
    my ($plan, $started) = @_;
    sys_setsid();
    restore_signals();
    my $canceled = 0;
    $SIG{TERM} = sub { $canceled = 1 };
    $SIG{PIPE} = 'IGNORE';
    my ($uid, $gid) = ensure_user($JOB_USER, 990, $plan->{directory});
    my $state = { workloadId => $plan->{id}, state => 'running', bootId => boot_id(),
        supervisor => $$, supervisorStart => process_start($$), startedAt => epoch_ms() };
    open my $log, '>', "$WORK/log" or die "cannot write the log: $!\n";
    workload_save($state);
    syswrite $started, '1';
    close $started;
    tell_agent();

    my $end = eval {
        prepare_directory($plan, $uid, $gid);
        run_job($plan, $uid, $gid, $log, \$canceled, $state);
    };
    $end = { end => 'platform_fault', detail => "$@" } if $@;
    end_all_of($uid, $gid);
    %$state = (%$state, %$end, canceled => $canceled);
    $state->{endedAt} = epoch_ms() unless defined $state->{endedAt};
    sys_fsync($log);
    collect_results($plan, $uid, $gid, $state);
    $state->{state} = 'ended';
    workload_save($state);
    unlink "$WORK/inputs-$plan->{id}.tar";
    tell_agent();
}

sub prepare_directory {
    my ($plan, $uid, $gid) = @_;
    make_directories($plan->{directory});
    my @directories = ($plan->{directory}, "$plan->{directory}/results");
    push @directories, "$plan->{directory}/results/checkpoint" if defined $plan->{checkpoint};
    mkdir $_, 0755 for @directories;
    chown $uid, $gid, @directories;
    return unless $plan->{inputs};
    my ($text, $status) = run_as($uid, $gid, $plan->{directory}, undef, 'tar', '-x', '-f', "$WORK/inputs-$plan->{id}.tar");
    die "the inputs cannot be unpacked: $text\n" if $status != 0;
}

# Runs a program as the job's user; returns what it printed and its wait status.
sub run_as {
    my ($uid, $gid, $directory, $file_limit, @command) = @_;
    my $path = program($command[0]);
    pipe my $reader, my $writer or die "no pipe: $!\n";
    my $process = fork;
    die "cannot fork: $!\n" unless defined $process;
    if ($process == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $writer;
        open STDERR, '>&', $writer;
        sys_limit_file_size($file_limit) if defined $file_limit;
        become($uid, $gid) && chdir $directory && exec { $path } @command;
        sys_exit(127);
    }
    close $writer;
    my $text = '';
    while (sysread $reader, my $part, 4096) { $text .= $part if length $text < 4096 }
    waitpid $process, 0;
    return ($text, $?);
}

sub run_job {
    my ($plan, $uid, $gid, $log, $canceled, $state) = @_;
    pipe my $reader, my $writer or die "no pipe: $!\n";
    my $job = fork;
    die "cannot fork: $!\n" unless defined $job;
    if ($job == 0) { close $reader; start_program($plan, $uid, $gid, $writer) }
    close $writer;
    my $deadline = monotonic_ms() + $plan->{time_limit_ms};
    my ($timed_out, $kill_at, $status, $written, $open) = (0, undef, undef, 0, 1);
    my $interruption = { told => 0 };
    while (!defined $status) {
        my $now = monotonic_ms();
        if (!defined $kill_at) {
            $kill_at = interrupt_job($plan, $uid, $gid, { interruption => $interruption, reader => $reader, now => $now });
            if (defined $kill_at) { kill $now >= $kill_at ? 9 : 15, -$job }
            elsif ($interruption->{hook}) { $open = 1 }    # the hook speaks into the same log
        }
        if (!defined $kill_at && ($$canceled || $now >= $deadline)) {
            $timed_out = !$$canceled;
            kill 15, -$job;
            $kill_at = $now + $KILL_AFTER_MS;
        }
        if (defined $kill_at && $now >= $kill_at) { kill 9, -$job; $kill_at = $now + 1000 }
        my $wait = (defined $kill_at ? $kill_at : $deadline) - $now;
        $wait = 50 if $interruption->{hook} && $wait > 50;
        $wait = 50 if $wait > 50 && !$open;    # output is closed: only the exit is left to see
        $wait = 1000 if $wait > 1000;
        $open = copy_output($reader, $log, $plan, $state, \$written, $wait) if $open;
        select undef, undef, undef, 0.02 if !$open;
        $status = $? if waitpid($job, 1) == $job;
    }
    $state->{endedAt} = epoch_ms();
    end_all_of($uid, $gid);
    while ($open) { $open = copy_output($reader, $log, $plan, $state, \$written, 0) && $open == 1 && readable($reader) }
    return { end => 'timed_out' } if $timed_out;
    return { end => 'interrupted' } if $interruption->{told};
    return { end => 'signaled', signal => signal_name($status & 127) } if $status & 127;
    return { end => 'exited', exitCode => $status >> 8 };
}

# Runs the checkpoint command, if there is one, when somebody has told us to save the work, and ends it
# if he takes that back. Returns until when the program may live once it is to be told to end.
sub interrupt_job {
    my ($plan, $uid, $gid, $at) = @_;
    my ($it, $now) = ($at->{interruption}, $at->{now});
    my $grace = interrupt_grace_ms();
    if (!defined $grace) {
        if ($it->{hook}) { kill 9, -$it->{hook}; waitpid $it->{hook}, 0 }
        %$it = (told => 0);
        return undef;
    }
    if (!defined $it->{until}) {
        $it->{until} = $now + $grace;
        $it->{hook} = start_hook($plan, $uid, $gid, $at->{reader}) if defined $plan->{checkpoint};
    }
    my $saved = !$it->{hook} || waitpid($it->{hook}, 1) == $it->{hook};
    return undef if !$saved && $now < $it->{until};
    kill 9, -$it->{hook} if !$saved;
    $it->{hook} = 0;
    $it->{told} = 1;
    return $it->{until} if !defined $plan->{checkpoint};
    return $now + $KILL_AFTER_MS < $it->{until} ? $now + $KILL_AFTER_MS : $it->{until};
}

sub start_hook {
    my ($plan, $uid, $gid, $reader) = @_;
    my $path = "/proc/self/fd/" . fileno $reader;
    open my $writer, '>', $path or die "cannot write into the log: $!\n";
    my $hook = fork;
    die "cannot fork: $!\n" unless defined $hook;
    if ($hook == 0) { start_program({ %$plan, command => $plan->{checkpoint} }, $uid, $gid, $writer) }
    close $writer;
    return $hook;
}

sub readable {
    my ($handle) = @_;
    my $set = '';
    vec($set, fileno($handle), 1) = 1;
    return select($set, undef, undef, 0) > 0;
}

# Copies what is there, waiting at most `wait` ms for it. Over the limit the bytes are counted and
# dropped, so that the program goes on. Returns 0 at the end of the output.
sub copy_output {
    my ($reader, $log, $plan, $state, $written, $wait_ms) = @_;
    my $set = '';
    vec($set, fileno($reader), 1) = 1;
    my $ready = select $set, undef, undef, $wait_ms / 1000;
    return 1 unless $ready > 0;
    my $count = sysread $reader, my $bytes, 65536;
    return 1 if !defined $count;
    return 0 if $count == 0;
    my $room = $plan->{log_max} - $$written;
    if ($count > $room) {
        $state->{droppedLogBytes} += $count - $room;
        $bytes = substr $bytes, 0, $room;
    }
    if (length $bytes) {
        my $kept = syswrite $log, $bytes;
        $kept = 0 unless defined $kept;
        $state->{droppedLogBytes} += length($bytes) - $kept;
        $$written += $kept;
        tell_agent();
    }
    return 1;
}

sub start_program {
    my ($plan, $uid, $gid, $writer) = @_;
    sys_setsid();
    restore_signals();
    open STDIN, '<', '/dev/null';
    open STDOUT, '>&', $writer;
    open STDERR, '>&', $writer;
    become($uid, $gid) && chdir $plan->{directory} or sys_exit(126);
    my $directory = $plan->{directory};
    %ENV = (
        PATH => '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME => $directory, USER => $JOB_USER, LANG => 'C.UTF-8',
        MILLRACE_WORK => $directory, MILLRACE_RESULTS => "$directory/results",
        MILLRACE_CHECKPOINT => "$directory/results/checkpoint", %{ $plan->{environment} },
    );
    my @command = @{ $plan->{command} };
    exec { $command[0] } @command;
    my $reason = "$!";
    print STDERR "cannot run $command[0]: $reason\n";
    sys_exit($reason =~ /No such file/ ? 127 : 126);
}

# Every process of the job's user, however it hid from its group: a child with that user's rights
# sends the signal to all that it may.
sub end_all_of {
    my ($uid, $gid) = @_;
    my $process = fork;
    return unless defined $process;
    if ($process == 0) {
        become($uid, $gid) and kill 9, -1;
        sys_exit(0);
    }
    waitpid $process, 0;
}

sub collect_results {
    my ($plan, $uid, $gid, $state) = @_;
    my $path = "$WORK/results.tar";
    unlink $path;
    open my $file, '>', $path or return;
    chown $uid, $gid, $path;
    close $file;
    if (-d "$plan->{directory}/results") {
        my ($text, $status) = eval {
            run_as($uid, $gid, "$plan->{directory}/results", $plan->{results_max}, 'tar', '-c', '-f', $path, '.');
        };
        if ($@ || $status != 0) {
            $state->{resultsProblem} = defined $status && ($status & 127) == 25
                ? "the results are larger than $plan->{results_max} bytes"
                : "the results cannot be packed: $@$text";
            truncate $path, 0;
        }
    }
    $state->{resultsBytes} = -s $path || 0;
}

sub signal_name {
    my @names = split ' ', 'ZERO HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS';
    my $name = $names[$_[0]];
    return defined $name ? "SIG$name" : "SIG$_[0]";
}

# Wakes the agent so that it tells the host; that a message gets lost does no harm.
sub tell_agent {
    socket my $socket, 1, 2 | 04000, 0 or return;
    send $socket, 'w', 0, pack('S a*', 1, "\0millrace-agent");
}
