# What tells whether anybody uses the machine, and how much of it: bytes over its cards since the boot,
# memory that programs have, and SSH connections that stand, whichever program serves them. Who types
# at a console is the host's to know.
sub activity {
    my $bytes = 0;
    my $cards = read_file('/proc/net/dev');
    die "no counters of the network\n" unless defined $cards;
    for my $line (split /\n/, $cards) {
        my ($card, $in, $out) = $line =~ /^\s*([^:\s]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/ or next;
        $bytes += $in + $out unless $card eq 'lo';
    }
    return {
        networkBytes => number($bytes),
        sessions     => number(ssh_connections()),
        memoryBytes  => number(memory_in_use()),
    };
}

# Caches are given up when they are in the way, so they are not in use.
sub memory_in_use {
    my $memory = read_file('/proc/meminfo');
    die "no figures of the memory\n" unless defined $memory;
    my ($total)     = $memory =~ /^MemTotal:\s+(\d+) kB$/m;
    my ($available) = $memory =~ /^MemAvailable:\s+(\d+) kB$/m;
    die "no figures of the memory\n" unless defined $total && defined $available;
    return 1024 * ($total - $available);
}

# Port 22 is 0016 there, and 01 is "established". Servers that take both kinds of address show in tcp6.
sub ssh_connections {
    my $count = 0;
    for my $name ('tcp', 'tcp6') {
        my $table = read_file("/proc/net/$name");
        next unless defined $table;
        $count += () = $table =~ /^\s*\d+:\s+[0-9A-F]+:0016\s+[0-9A-F]+:[0-9A-F]{4}\s+01\s/mg;
    }
    return $count;
}
