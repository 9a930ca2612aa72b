# JSON, in bytes. A number is written by number(), a boolean by truth(), everything else that is no
# reference as a string: Perl itself does not know which of them a scalar is.
sub number { my $text = 0 + $_[0]; return \$text }
sub truth { my $text = $_[0] ? 'true' : 'false'; return \$text }

my %json_escape = ('"' => '\\"', '\\' => '\\\\', "\n" => '\\n', "\r" => '\\r', "\t" => '\\t');

sub to_json {
    my ($value) = @_;
    return 'null' unless defined $value;
    my $kind = ref $value;
    return $$value if $kind eq 'SCALAR';
    return '[' . join(',', map { to_json($_) } @$value) . ']' if $kind eq 'ARRAY';
    return '{' . join(',', map { to_json($_) . ':' . to_json($value->{$_}) } sort keys %$value) . '}'
        if $kind eq 'HASH';
    $value =~ s/(["\\\x00-\x1f])/exists $json_escape{$1} ? $json_escape{$1} : sprintf '\\u%04x', ord $1/ge;
    return "\"$value\"";
}

# Dies on anything that is not one JSON value. Nesting is limited, so that no input can exhaust the stack.
sub from_json {
    my ($text) = @_;
    pos($text) = 0;
    my $value = json_value(\$text, 0);
    $text =~ /\G\s*/gc;
    die "bytes after the JSON value\n" if pos($text) < length $text;
    return $value;
}

sub json_value {
    my ($text, $depth) = @_;
    die "JSON nested too deep\n" if $depth > 32;
    $$text =~ /\G\s*/gc;
    if ($$text =~ /\G"/gc) { return json_string($text) }
    if ($$text =~ /\G(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/gc) { return 0 + $1 }
    if ($$text =~ /\Gtrue/gc) { return 1 }
    if ($$text =~ /\Gfalse/gc) { return 0 }
    if ($$text =~ /\Gnull/gc) { return undef }
    if ($$text =~ /\G\[/gc) {
        my @list;
        return \@list if $$text =~ /\G\s*\]/gc;
        while (1) {
            push @list, json_value($text, $depth + 1);
            return \@list if $$text =~ /\G\s*\]/gc;
            $$text =~ /\G\s*,/gc or die "malformed JSON list\n";
        }
    }
    if ($$text =~ /\G\{/gc) {
        my %object;
        return \%object if $$text =~ /\G\s*\}/gc;
        while (1) {
            $$text =~ /\G\s*"/gc or die "malformed JSON object\n";
            my $key = json_string($text);
            $$text =~ /\G\s*:/gc or die "malformed JSON object\n";
            $object{$key} = json_value($text, $depth + 1);
            return \%object if $$text =~ /\G\s*\}/gc;
            $$text =~ /\G\s*,/gc or die "malformed JSON object\n";
        }
    }
    die "malformed JSON\n";
}

my %json_unescape = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

sub json_string {
    my ($text) = @_;
    my $string = '';
    while (1) {
        if ($$text =~ /\G([^"\\]+)/gc) { $string .= $1 }
        elsif ($$text =~ /\G"/gc) { return $string }
        elsif ($$text =~ /\G\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/gc) {
            $string .= utf8_bytes(0x10000 + ((hex($1) - 0xd800) << 10) + hex($2) - 0xdc00);
        }
        elsif ($$text =~ /\G\\u([0-9a-fA-F]{4})/gc) { $string .= utf8_bytes(hex $1) }
        elsif ($$text =~ /\G\\(.)/gcs) { $string .= exists $json_unescape{$1} ? $json_unescape{$1} : $1 }
        else { die "malformed JSON string\n" }
    }
}

sub utf8_bytes {
    my $character = chr $_[0];
    utf8::encode($character);
    return $character;
}
