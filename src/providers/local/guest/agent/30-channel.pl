# The channel to the host: a virtio-serial port that carries one message per line, a JSON object
# that may be followed by a tab and raw bytes in which newline and escape are escaped. A line is
# whole or it is ignored, so both sides find each other again after any break.
#
# The port says "end of file" as long as nobody has it open on the host. It is then looked at every
# 100 ms, and at once when the kernel sends SIGIO. Nothing is dropped then: the kernel may report the
# break after it has delivered the next host's first request, whose answer waits to be written.
our $LINE_BYTES_MAX = 2 * 1024 * 1024;
our ($channel, $channel_connected, $channel_in, $channel_out) = (undef, 0, '', '');

sub channel_path {
    for my $name (names_in('/sys/class/virtio-ports')) {
        my $label = read_file("/sys/class/virtio-ports/$name/name");
        return "/dev/$name" if defined $label && $label =~ /^millrace\.agent\.0\s*$/;
    }
    return undef;
}

sub channel_open {
    my $path = channel_path();
    return 0 unless defined $path;
    sysopen $channel, $path, 02 | 04000 | 02000000 or return 0;    # read-write, non-blocking, close-on-exec
    $SIG{IO} = sub { };
    my $process = $$;
    fcntl $channel, 8, $process;                                  # F_SETOWN
    fcntl $channel, 4, 02 | 04000 | 020000;                       # F_SETFL with O_ASYNC
    return 1;
}

sub channel_send {
    my ($message, $payload) = @_;
    my $line = to_json($message);
    if (defined $payload) {
        $payload =~ s/([\n\x1b])/$1 eq "\n" ? "\x1bn" : "\x1be"/ge;
        $line .= "\t$payload";
    }
    # The first newline closes what an interrupted sender left behind.
    $channel_out = '' if length $channel_out > $LINE_BYTES_MAX && !$channel_connected;
    $channel_out .= "\n$line\n";
    channel_write() if $channel_connected;
}

sub channel_event { my ($event) = @_; channel_send($event) if $channel_connected }

sub channel_write {
    while (length $channel_out) {
        my $written = syswrite $channel, $channel_out, 65536;
        return unless $written;
        substr($channel_out, 0, $written) = '';
    }
}

# Reads what is there and answers each whole line.
sub channel_read {
    while (1) {
        my $count = sysread $channel, $channel_in, 262144, length $channel_in;
        if (!defined $count) {
            if (!$channel_connected) { $channel_connected = 1; channel_hello() }
            last;
        }
        if ($count == 0) { $channel_connected = 0; last }
        if (!$channel_connected) { $channel_connected = 1; channel_hello() }
        last if $count < 4096;
    }
    while ((my $end = index $channel_in, "\n") >= 0) {
        my $line = substr $channel_in, 0, $end;
        substr($channel_in, 0, $end + 1) = '';
        channel_line($line) if length $line;
    }
    $channel_in = '' if length $channel_in > $LINE_BYTES_MAX;
}

sub channel_line {
    my ($line) = @_;
    my $payload;
    my $tab = index $line, "\t";
    if ($tab >= 0) {
        $payload = substr $line, $tab + 1;
        $payload =~ s/\x1b(.)/$1 eq 'n' ? "\n" : "\x1b"/ge;
        $line = substr $line, 0, $tab;
    }
    my $request = eval { from_json($line) };
    return unless ref $request eq 'HASH' && defined $request->{id} && defined $request->{method};
    my ($result, $bytes) = eval { answer($request->{method}, $request, $payload) };
    if ($@) {
        my $message = $@;
        chomp $message;
        my $code = $message =~ s/^([a-z_]+): // ? $1 : 'failed';
        channel_send({ id => number($request->{id}), error => { code => $code, message => $message } });
        return;
    }
    channel_send({ id => number($request->{id}), result => $result }, $bytes);
}

sub channel_hello { channel_send({ event => 'hello', %{ hello() } }) }
