#!/usr/bin/perl
# The guest agent: one script in both images, and PID 1 in the tiny one. It uses no Perl module,
# because each one read costs an emulated guest 10 to 60 ms, and perl-base without modules is there
# on every Debian. The files of this folder are put together in the order of their names.
#
# This file: the system calls (numbers of x86-64) and small file helpers.
use strict;

our $VERSION = 1;
our $STATE = '/var/lib/millrace';

# syscall() takes a pointer only to a variable, so strings are copied into @_ copies first.
sub sys_mount {
    my ($source, $target, $type, $flags, $data) = @_;
    $data = '' unless defined $data;
    return syscall(165, $source, $target, $type, $flags + 0, $data) == 0;
}
sub sys_finit_module { my ($handle) = @_; my $none = ''; return syscall(313, fileno($handle), $none, 0) == 0 }
sub sys_sethostname { my ($name) = @_; return syscall(170, $name, length $name) == 0 }
sub sys_sync { return syscall(162) == 0 }
sub sys_fsync { return syscall(74, fileno($_[0])) == 0 }
sub sys_setsid { return syscall(112) >= 0 }
sub sys_exit { syscall(231, $_[0] + 0) }
sub sys_reboot { return syscall(169, 0xfee1dead, 672274793, $_[0] + 0, 0) == 0 }
sub sys_limit_file_size { my $limit = pack 'QQ', $_[0], $_[0]; return syscall(160, 1, $limit) == 0 }

sub clock_ms {
    my ($clock) = @_;
    my $time = "\0" x 16;
    syscall(228, $clock, $time);
    my ($seconds, $nanos) = unpack 'qq', $time;
    return $seconds * 1000 + int($nanos / 1000000);
}
sub epoch_ms { return clock_ms(0) }
sub monotonic_ms { return clock_ms(1) }
sub set_epoch_ms {
    my ($ms) = @_;
    my $time = pack 'qq', int($ms / 1000), ($ms % 1000) * 1000000;
    return syscall(227, 0, $time) == 0;
}

# Root's rights given up for good: groups, then group, then user.
sub become {
    my ($uid, $gid) = @_;
    my $groups = pack 'L', $gid;
    return syscall(116, 1, $groups) == 0
        && syscall(119, $gid, $gid, $gid) == 0
        && syscall(117, $uid, $uid, $uid) == 0;
}

sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or return undef;
    local $/;
    my $text = <$file>;
    return defined $text ? $text : '';
}

# Written beside its place and renamed, so that a reader or a crash sees the old or the new file.
sub write_file {
    my ($path, $text, $mode) = @_;
    my $temporary = "$path.new";
    open my $file, '>', $temporary or die "cannot write $path: $!\n";
    chmod $mode, $temporary if defined $mode;
    print $file $text;
    close $file or die "cannot write $path: $!\n";
    rename $temporary, $path or die "cannot write $path: $!\n";
}

sub write_file_durably {
    my ($path, $text, $mode) = @_;
    write_file($path, $text, $mode);
    open my $file, '<', $path or die "cannot open $path: $!\n";
    sys_fsync($file);
}

sub make_directories {
    my ($path, $mode) = @_;
    my $at = '';
    for my $part (grep { length } split m{/}, $path) {
        $at .= "/$part";
        mkdir $at, defined $mode ? $mode : 0755;
    }
}

sub names_in {
    my ($directory) = @_;
    opendir my $handle, $directory or return ();
    return sort grep { !/^\.\.?$/ } readdir $handle;
}

sub boot_id {
    my $id = read_file('/proc/sys/kernel/random/boot_id');
    $id = '' unless defined $id;
    chomp $id;
    return $id;
}

sub kernel_argument {
    my ($name) = @_;
    my $line = read_file('/proc/cmdline');
    return defined $line && $line =~ /(?:^|\s)\Q$name\E=(\S*)/ ? $1 : undef;
}

sub say_on_console { print STDERR "millrace: $_[0]\n" }
