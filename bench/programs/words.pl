# Hashes of arrays, string building, sorting and substitutions.
use strict;
use warnings;

my $lines = shift // 60000;
my $state = 12345;
my (%count, %places, @kept);
for my $line (1 .. $lines) {
  my @words;
  for (1 .. 8) {
    $state = ($state * 1103515245 + 12345) % 2147483648;
    push @words, "w" . ($state >> 16 & 8191);
  }
  my $text = join " ", @words;
  $count{$_}++ for @words;
  push @{$places{$words[0]}}, [$line, scalar @words];
  (my $copy = $text) =~ s/w(\d)/word-$1/g;
  push @kept, $copy;
  shift @kept if @kept > 2000;
}
my @top = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
my $places = 0;
$places += scalar @{$places{$_}} for keys %places;
print scalar(@top), " $places ", length(join "", @kept), "\n";
