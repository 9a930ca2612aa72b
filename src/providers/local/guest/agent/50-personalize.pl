# Makes this machine the instance that the host names: everything that two copies of one disk or
# one memory image would share is renewed before the first key exchange. Asked again for the same
# instance (after a start, a reboot or a snapshot revert) it keeps identity and SSH host keys and
# renews clock and randomness.
our $IDENTITY = "$STATE/identity";
our $HOST_KEY = '/etc/dropbear/millrace_ed25519_host_key';

sub identity {
    my $text = read_file($IDENTITY);
    my $value = defined $text ? eval { from_json($text) } : undef;
    return ref $value eq 'HASH' ? $value : undef;
}

sub personalize {
    my ($ask) = @_;
    my $id = text_field($ask, 'instanceId', qr/^[0-9A-Za-z][0-9A-Za-z.-]{0,63}$/);
    my $hostname = text_field($ask, 'hostname', qr/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,62})$/);
    my $user = text_field($ask, 'loginUser', qr/^[a-z_][a-z0-9_-]{0,31}$/);
    my $machine_id = text_field($ask, 'machineId', qr/^[0-9a-f]{32}$/);
    my $keys = $ask->{authorizedKeys};
    ref $keys eq 'ARRAY' && !grep { !defined $_ || ref $_ || /[\r\n]/ } @$keys or die "invalid: authorizedKeys\n";

    refresh($ask);
    my $known = identity();
    my $same = defined $known && $known->{instanceId} eq $id && -s $HOST_KEY;
    if (!$same) {
        ssh_close();
        unlink $IDENTITY, $HOST_KEY, "$HOST_KEY.pub";
        workload_forget();
    }
    apply_hostname($hostname);
    write_file('/etc/machine-id', "$machine_id\n", 0444) if !$same || !-s '/etc/machine-id';
    my $network = $ask->{network};
    apply_network($network) if defined $network;
    apply_login($user, $keys);
    my $public = host_key($ask->{hostKey});
    my $identity = { instanceId => $id, hostname => $hostname, loginUser => $user };
    $identity->{network} = $network if defined $network;
    my $text = to_json($identity);
    my $written = read_file($IDENTITY);
    write_file($IDENTITY, $text, 0600) if !defined $written || $written ne $text;
    my $grown = eval { grow_root($ask); 1 };
    my $problem = $grown ? undef : $@;
    ssh_listen();
    sync_later();
    return {
        instanceId => $id, hostKeys => [$public], bootId => boot_id(), rootBytes => number(root_bytes()),
        uptimeMs => number(monotonic_ms()),
        defined $problem ? (growProblem => $problem) : (),
    };
}

sub text_field {
    my ($ask, $name, $form) = @_;
    my $value = $ask->{$name};
    die "invalid: $name\n" unless defined $value && !ref $value && $value =~ $form && $value !~ /\n/;
    return $value;
}

# Clock and random pool. Entropy is credited and the generator reseeded at once: until then two
# copies of one memory image give out the same "random" bytes.
sub refresh {
    my ($ask) = @_;
    my $hex = text_field($ask, 'entropy', qr/^[0-9a-f]{64,1024}$/);
    my $seed = pack 'H*', $hex;
    open my $random, '+<', '/dev/random' or die "cannot open /dev/random: $!\n";
    my $credit = pack 'll a*', 8 * length $seed, length $seed, $seed;
    ioctl $random, 0x40085203, $credit or die "cannot add entropy: $!\n";    # RNDADDENTROPY
    my $none = 0;
    ioctl $random, 0x5207, $none or die "cannot reseed: $!\n";               # RNDRESEEDCRNG
    my $epoch = $ask->{epochMs};
    die "invalid: epochMs\n" unless defined $epoch && $epoch =~ /^\d{12,14}$/;
    set_epoch_ms($epoch) or die "cannot set the clock: $!\n";
    return {};
}

sub apply_hostname {
    my ($name) = @_;
    sys_sethostname($name) or die "cannot set the host name: $!\n";
    my $present = read_file('/etc/hostname');
    return if defined $present && $present eq "$name\n";
    write_file('/etc/hostname', "$name\n", 0644);
    write_file('/etc/hosts', "127.0.0.1\tlocalhost\n127.0.1.1\t$name\n::1\tlocalhost ip6-localhost ip6-loopback\n", 0644);
}

# The account, its keys, and on an image with sudo the right to become root without a password
# (an account that is not root has no password at all). Where sudo is missing the keys open root too.
sub apply_login {
    my ($user, $keys) = @_;
    my $text = join '', map { "$_\n" } @$keys;
    my @users = ($user);
    if ($user ne 'root') {
        my ($uid, $gid, $home) = ensure_user($user, 1000, "/home/$user");
        if (-x '/usr/bin/sudo') {
            write_file('/etc/sudoers.d/90-millrace', "$user ALL=(ALL) NOPASSWD:ALL\n", 0440)
                unless -e '/etc/sudoers.d/90-millrace';
        }
        else { push @users, 'root' }
    }
    for my $name (@users) {
        my (undef, undef, $uid, $gid, undef, undef, undef, $home) = getpwnam $name or die "no account $name\n";
        my $present = read_file("$home/.ssh/authorized_keys");
        next if defined $present && $present eq $text;
        mkdir "$home/.ssh", 0700;
        write_file("$home/.ssh/authorized_keys", $text, 0600);
        chown $uid, $gid, "$home/.ssh", "$home/.ssh/authorized_keys";
    }
}

# An account without a password, made by appending to the account files: useradd costs seconds.
sub ensure_user {
    my ($name, $id, $home) = @_;
    my @present = getpwnam $name;
    return @present[2, 3, 7] if @present;
    $id++ while defined getpwuid $id or defined getgrgid $id;
    my $shell = -x '/bin/bash' ? '/bin/bash' : '/bin/sh';
    append_line('/etc/group', "$name:x:$id:");
    append_line('/etc/gshadow', "$name:!::") if -e '/etc/gshadow';
    append_line('/etc/passwd', "$name:x:$id:$id:$name:$home:$shell");
    append_line('/etc/shadow', "$name:*:19000:0:99999:7:::");
    make_directories($home);
    chown $id, $id, $home;
    return ($id, $id, $home);
}

sub append_line {
    my ($path, $line) = @_;
    open my $file, '>>', $path or die "cannot append to $path: $!\n";
    print $file "$line\n";
}

# Forgets the instance, so that this machine's disk and memory can become a template of others.
# With systemd it first waits until the boot is over: a template should be idle.
sub seal {
    run_program('systemctl', 'is-system-running', '--wait') unless $main::is_init;
    ssh_close();
    my $known = identity();
    unlink $IDENTITY, $HOST_KEY, "$HOST_KEY.pub";
    for my $home ('/root', map { "/home/$_" } names_in('/home')) { unlink "$home/.ssh/authorized_keys" }
    workload_forget();
    write_file('/etc/machine-id', "00000000000000000000000000000001\n", 0444);
    sys_sync();
    return {};
}
