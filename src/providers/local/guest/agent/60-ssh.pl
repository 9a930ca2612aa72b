# SSH: this agent listens, and every connection is a dropbear of its own, as inetd did it. The host
# key can so change without a restart, and an idle machine runs no SSH daemon.
# An administrator who installs another SSH server creates /etc/millrace/no-ssh.
our $SSH_CONNECTIONS_MAX = 100;
our ($ssh_socket, %ssh_processes);

# The one that is kept on the instance's disk; without one, the one that the host offers is taken.
# Returns the public line.
sub host_key {
    my ($offered) = @_;
    my $public = read_file("$HOST_KEY.pub");
    if (!-s $HOST_KEY || !defined $public) {
        my $seed = text_field($offered, 'seed', qr/^[0-9a-f]{64}$/);
        $public = text_field($offered, 'public', qr{^ssh-ed25519 [A-Za-z0-9+/]{68}$});
        mkdir '/etc/dropbear', 0755;
        write_file($HOST_KEY, host_key_file($seed, $public), 0600);
        write_file("$HOST_KEY.pub", "$public\n", 0644);
    }
    chomp $public;
    return $public;
}

# As dropbear reads it: the name of the kind, then seed and public key.
sub host_key_file {
    my ($seed, $public) = @_;
    return pack 'N/a* N H64 a32', 'ssh-ed25519', 64, $seed, substr from_base64((split / /, $public)[1]), -32;
}

sub from_base64 {
    my ($text) = @_;
    $text =~ tr{A-Za-z0-9+/}{ -_};
    return join '', map { unpack 'u', chr(32 + length($_) * 3 / 4) . $_ } $text =~ /(.{1,60})/g;
}

sub ssh_listen {
    return if defined $ssh_socket || -e '/etc/millrace/no-ssh';
    socket my $socket, 2, 1 | 02000000, 0 or die "no socket: $!\n";
    setsockopt $socket, 1, 2, pack 'l', 1;
    bind $socket, pack 'S n a4 x8', 2, 22, "\0" x 4 or die "cannot listen on port 22: $!\n";
    listen $socket, 64 or die "cannot listen on port 22: $!\n";
    $ssh_socket = $socket;
}

sub ssh_close {
    close $ssh_socket if defined $ssh_socket;
    $ssh_socket = undef;
    kill 15, keys %ssh_processes;
}

sub ssh_accept {
    accept my $connection, $ssh_socket or return;
    if (keys %ssh_processes >= $SSH_CONNECTIONS_MAX) { close $connection; return }
    my $process = fork;
    if (defined $process && $process == 0) {
        open STDIN, '<&', $connection;
        open STDOUT, '>&', $connection;
        open STDERR, '>', '/dev/null';
        restore_signals();
        exec { program('dropbear') } 'dropbear', '-i', '-s', '-r', $HOST_KEY, '-W', '262144', '-K', '60';
        sys_exit(127);
    }
    $ssh_processes{$process} = 1 if defined $process;
    close $connection;
}

sub program {
    my ($name) = @_;
    for my $directory ('/usr/sbin', '/usr/bin', '/sbin', '/bin') {
        return "$directory/$name" if -x "$directory/$name";
    }
    die "unsupported: the image has no $name\n";
}

# Runs a program and returns what it printed and its wait status.
sub run_program {
    my ($name, @arguments) = @_;
    my $path = program($name);
    pipe my $reader, my $writer or die "no pipe: $!\n";
    my $process = fork;
    die "cannot fork: $!\n" unless defined $process;
    if ($process == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $writer;
        open STDERR, '>&', $writer;
        restore_signals();
        exec { $path } $name, @arguments;
        sys_exit(127);
    }
    close $writer;
    my $text = '';
    1 while sysread $reader, $text, 65536, length $text;
    waitpid $process, 0;
    return ($text, $?);
}

sub restore_signals { $SIG{$_} = 'DEFAULT' for qw(CHLD IO PIPE TERM INT HUP USR1 USR2) }
