# Addresses, routes and hardware addresses by ioctl: no program is started for them.
sub interface_names {
    my %index;
    for my $name (grep { $_ ne 'lo' && -e "/sys/class/net/$_/device" } names_in('/sys/class/net')) {
        $index{$name} = 0 + read_file("/sys/class/net/$name/ifindex");
    }
    return sort { $index{$a} <=> $index{$b} } keys %index;
}

sub network_ioctl {
    my ($request, $argument, $what) = @_;
    socket my $socket, 2, 2, 0 or die "no socket: $!\n";
    return ioctl($socket, $request, $argument) || die "$what: $!\n";
}

sub address_bytes {
    my ($text) = @_;
    $text =~ /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/ or die "invalid: not an address: $text\n";
    return pack 'C4', $1, $2, $3, $4;
}

sub internet_address { return pack 'S n a4 x8', 2, 0, $_[0] }

sub bring_up_loopback { network_ioctl(0x8914, pack('a16 s x22', 'lo', 0x49), 'loopback') }

# [{ mac?, address: "10.0.2.15/24", gateway?, dns? }], applied to the interfaces in their order.
sub apply_network {
    my ($wanted) = @_;
    my @names = interface_names();
    my @servers;
    for my $entry (@$wanted) {
        my $name = shift @names;
        die "failed: the machine has fewer network interfaces than addresses\n" unless defined $name;
        my ($address, $bits) = $entry->{address} =~ m{^([\d.]+)/(\d{1,2})$}
            or die "invalid: not an address with its prefix: $entry->{address}\n";
        set_mac($name, $entry->{mac}) if defined $entry->{mac};
        my $mask = pack 'N', $bits == 0 ? 0 : (0xffffffff << (32 - $bits)) & 0xffffffff;
        network_ioctl(0x8916, pack('a16 a16 x8', $name, internet_address(address_bytes($address))), "address of $name");
        network_ioctl(0x891c, pack('a16 a16 x8', $name, internet_address($mask)), "mask of $name");
        network_ioctl(0x8914, pack('a16 s x22', $name, 0x1043), "start of $name");
        default_route($entry->{gateway}) if defined $entry->{gateway};
        push @servers, @{ $entry->{dns} } if defined $entry->{dns};
    }
    if (@servers) {
        my $text = join '', map { address_bytes($_) && "nameserver $_\n" } @servers;
        my $present = read_file('/etc/resolv.conf');
        if (!defined $present || $present ne $text) { unlink '/etc/resolv.conf'; write_file('/etc/resolv.conf', $text) }
    }
}

sub set_mac {
    my ($name, $mac) = @_;
    $mac =~ /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i or die "invalid: not a hardware address: $mac\n";
    my $present = read_file("/sys/class/net/$name/address");
    return if defined $present && $present =~ /^\Q$mac\E\s*$/i;
    my $bytes = $mac;
    $bytes =~ tr/://d;
    network_ioctl(0x8924, pack('a16 S a6 x16', $name, 1, pack('H12', $bytes)), "hardware address of $name");
}

sub default_route {
    my ($gateway) = @_;
    my $any = internet_address("\0" x 4);
    my $route = pack 'Q a16 a16 a16 S x38 x16 x8', 0, $any, internet_address(address_bytes($gateway)), $any, 3;
    eval { network_ioctl(0x890b, $route, "route by $gateway") };
    die $@ if $@ && $@ !~ /File exists/;
}
