package embedded

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// standIn puts a pseudo-terminal in the place of standard input, and keeps the
// pipe that was there under another number.
//
// The engine believes a batch run (one without a terminal) to be worth nothing
// after an error: it then ends the whole process on any exception that a
// connection's thread does not handle itself, and a wrong password on the
// native protocol is one. With a terminal it only logs it. Nobody types there.
//
// On error the input that comes with it is standard input as it was.
func standIn() (input, error) {
	plain := input{fd: 0, path: "/dev/stdin", hangUp: func() {}}
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return plain, fmt.Errorf("opening a terminal: %w", err)
	}
	in, err := takePlace(master)
	if err != nil {
		master.Close()
		return plain, err
	}
	return in, nil
}

func takePlace(master *os.File) (input, error) {
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return input{}, fmt.Errorf("unlocking the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return input{}, fmt.Errorf("asking for the terminal's number: %w", err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return input{}, fmt.Errorf("opening the terminal's other end: %w", err)
	}
	defer slave.Close() // standard input is a second name of it
	pipe, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return input{}, fmt.Errorf("keeping the pipe: %w", err)
	}
	if err := unix.Dup3(int(slave.Fd()), 0, 0); err != nil {
		return input{}, fmt.Errorf("replacing standard input: %w", err)
	}
	return input{fd: pipe, path: fmt.Sprintf("/proc/self/fd/%d", pipe), hangUp: func() { master.Close() }}, nil
}
