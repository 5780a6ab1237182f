/** First process of a guest: a script for the shell of busybox. */

export const GUEST_INIT = `#!/bin/busybox sh
# First process of a guest: loads the modules, then runs what the console tells it, by the line.
# \`marker\` and \`load\` come from the kernel's command line.
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev 2>/dev/null
/bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
# What is typed is not shown, and lines end in one character. They still come as a whole: this shell
# forgets half a line when one of its children ends.
stty -echo -opost </dev/console
ip link set lo up
# Links come up without a conversation about IPv6, which would be traffic that nobody asked for.
[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
for module in $(echo "$load" | tr , ' '); do modprobe "$module" || echo "no module $module"; done
# This shell prefers its own programs to those on the path.
ip() { /usr/bin/ip "$@"; }
ping() { /usr/bin/ping "$@"; }
echo "$marker ready"
while read -r number command; do
  echo "$marker begin $number"
  (eval "$command") </dev/null 2>&1
  status=$?
  echo
  echo "$marker end $number $status"
done
poweroff -f
`;
