# Hashes, regular expressions, sorting and long strings.
use strict;
use warnings;
my (%count, @lines);
for my $i (1 .. 20000) {
  my $line = join ' ', map { chr(97 + ($i * $_) % 26) x (1 + $i % 7) } 1 .. 6;
  push @lines, $line;
  $count{$_}++ for split / /, $line;
}
for my $word (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
  print "$word $count{$word}\n" if $count{$word} > 600;
}
my $text = join "\n", @lines;
(my $changed = $text) =~ s/(\w)(\w+)/$2$1/g;
printf "%d %d %s\n", length $text, length $changed, unpack('%32C*', $changed);
for my $round (1 .. 50) {
  my $pid = fork // die;
  if ($pid == 0) { my @more = map { "x" x $_ } 1 .. 300; exit 3 }
  waitpid $pid, 0;
  die unless $? >> 8 == 3;
}
my @nested = map { { n => $_, list => [1 .. $_ % 50] } } 1 .. 5000;
my $sum = 0;
$sum += @{ $_->{list} } for @nested;
print "$sum\n";
exit 5;
