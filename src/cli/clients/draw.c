/*
 * Draws on a display through the kernel's mode setting interface, without any library: a picture in
 * which every pixel has a colour of its own, updates and page flips against the clock, a cursor.
 *
 * usage: draw STEP...      steps are taken in order, on the first connected display
 *   scatter=N              N MiB of memory in single pages, before any other step: buffers come from there
 *   picture                the picture on the whole display; its negative waits in the other buffer
 *   redraw                 what is shown becomes its own negative, reported as one dirty display
 *   box=X,Y,W,H            the same for a part of the display
 *   dirty=N                N times the whole display is reported as dirty
 *   flip=N                 N page flips, each awaited
 *   cursor=X,Y             a cursor of 64x64 pixels at this place
 *   move=N                 N moves of the cursor along a diagonal, and back to its place
 *   nocursor               no cursor
 *   hold                   the display stays as it is until this program is killed
 * Each step prints one line when the device has carried it out; flip and dirty add their rate.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CARD "/dev/dri/card0"
#define LIST_MAX 16
#define MODES_MAX 64
#define CONNECTED 1
#define PAGE 4096
#define PIPE_PAGES 16
#define PIPES_MAX 256
#define CURSOR_SIZE 64
#define HOT_X 3
#define HOT_Y 5
#define CURSOR_BO 1
#define CURSOR_MOVE 2
#define FLIP_EVENT 1
#define WHITE 0xffffff

/* The kernel's user interface (drm.h, drm_mode.h), which Debian's kernel headers leave out. */
struct resources {
  uint64_t fb_id_ptr, crtc_id_ptr, connector_id_ptr, encoder_id_ptr;
  uint32_t count_fbs, count_crtcs, count_connectors, count_encoders;
  uint32_t min_width, max_width, min_height, max_height;
};
struct modeinfo {
  uint32_t clock;
  uint16_t hdisplay, hsync_start, hsync_end, htotal, hskew;
  uint16_t vdisplay, vsync_start, vsync_end, vtotal, vscan;
  uint32_t vrefresh, flags, type;
  char name[32];
};
struct connector {
  uint64_t encoders_ptr, modes_ptr, props_ptr, prop_values_ptr;
  uint32_t count_modes, count_props, count_encoders, encoder_id, connector_id, connector_type;
  uint32_t connector_type_id, connection, mm_width, mm_height, subpixel, pad;
};
struct crtc {
  uint64_t set_connectors_ptr;
  uint32_t count_connectors, crtc_id, fb_id, x, y, gamma_size, mode_valid;
  struct modeinfo mode;
};
struct create_dumb { uint32_t height, width, bpp, flags, handle, pitch; uint64_t size; };
struct map_dumb { uint32_t handle, pad; uint64_t offset; };
struct fb_cmd { uint32_t fb_id, width, height, pitch, bpp, depth, handle; };
struct dirty_cmd { uint32_t fb_id, flags, color, num_clips; uint64_t clips_ptr; };
struct clip { uint16_t x1, y1, x2, y2; };
struct page_flip { uint32_t crtc_id, fb_id, flags, reserved; uint64_t user_data; };
struct cursor2 {
  uint32_t flags, crtc_id;
  int32_t x, y;
  uint32_t width, height, handle;
  int32_t hot_x, hot_y;
};

#define GETRESOURCES _IOWR('d', 0xa0, struct resources)
#define SETCRTC _IOWR('d', 0xa2, struct crtc)
#define GETCONNECTOR _IOWR('d', 0xa7, struct connector)
#define ADDFB _IOWR('d', 0xae, struct fb_cmd)
#define PAGE_FLIP _IOWR('d', 0xb0, struct page_flip)
#define DIRTYFB _IOWR('d', 0xb1, struct dirty_cmd)
#define CREATE_DUMB _IOWR('d', 0xb2, struct create_dumb)
#define MAP_DUMB _IOWR('d', 0xb3, struct map_dumb)
#define CURSOR2 _IOWR('d', 0xbb, struct cursor2)

struct buffer { uint32_t handle, pitch, fb_id; uint8_t *bytes; };

static int card;
static uint32_t crtc_id, width, height;
static struct buffer screens[2], cursor, no_cursor;
static int shown, cursor_shown, cursor_x, cursor_y;

static void control(unsigned long request, void *argument, const char *name) {
  int result;
  do result = ioctl(card, request, argument);
  while (result < 0 && (errno == EINTR || errno == EAGAIN));
  if (result < 0) { fprintf(stderr, "draw: %s: %s\n", name, strerror(errno)); exit(1); }
}
#define CONTROL(request, argument) control(request, argument, #request)

static void fail(const char *why) { fprintf(stderr, "draw: %s\n", why); exit(1); }

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static struct buffer make_buffer(uint32_t w, uint32_t h) {
  struct create_dumb create = { .width = w, .height = h, .bpp = 32 };
  CONTROL(CREATE_DUMB, &create);
  struct map_dumb map = { .handle = create.handle };
  CONTROL(MAP_DUMB, &map);
  void *bytes = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, map.offset);
  if (bytes == MAP_FAILED) fail("mmap");
  return (struct buffer){ .handle = create.handle, .pitch = create.pitch, .bytes = bytes };
}

static void add_framebuffer(struct buffer *buffer) {
  struct fb_cmd fb = {
    .width = width, .height = height, .pitch = buffer->pitch,
    .bpp = 32, .depth = 24, .handle = buffer->handle,
  };
  CONTROL(ADDFB, &fb);
  buffer->fb_id = fb.fb_id;
}

/* A triangle, opaque, of colours that tell their place; nothing around it. */
static void fill_cursor(void) {
  for (uint32_t y = 0; y < CURSOR_SIZE; y++) {
    uint32_t *row = (uint32_t *)(cursor.bytes + (size_t)y * cursor.pitch);
    for (uint32_t x = 0; x <= y; x++) row[x] = 0xff000000 | x << 18 | y << 10 | 0x55;
  }
}

/* The first connected display, at the mode that it prefers. */
static void open_display(void) {
  uint32_t crtcs[LIST_MAX], connectors[LIST_MAX];
  struct modeinfo modes[MODES_MAX];
  struct resources all = { 0 };
  card = open(CARD, O_RDWR | O_CLOEXEC);
  if (card < 0) fail("no " CARD);
  all.crtc_id_ptr = (uintptr_t)crtcs;
  all.connector_id_ptr = (uintptr_t)connectors;
  all.count_crtcs = all.count_connectors = LIST_MAX;
  CONTROL(GETRESOURCES, &all);
  if (all.count_crtcs > LIST_MAX || all.count_connectors > LIST_MAX) fail("too many displays");
  for (uint32_t n = 0; n < all.count_connectors; n++) {
    struct connector one = {
      .connector_id = connectors[n], .modes_ptr = (uintptr_t)modes, .count_modes = MODES_MAX,
    };
    CONTROL(GETCONNECTOR, &one);
    if (one.connection != CONNECTED || one.count_modes - 1 >= MODES_MAX) continue;
    crtc_id = crtcs[n];
    width = modes[0].hdisplay;
    height = modes[0].vdisplay;
    for (int i = 0; i < 2; i++) {
      screens[i] = make_buffer(width, height);
      add_framebuffer(&screens[i]);
    }
    cursor = make_buffer(CURSOR_SIZE, CURSOR_SIZE);
    no_cursor = make_buffer(CURSOR_SIZE, CURSOR_SIZE);
    fill_cursor();
    struct crtc set = {
      .set_connectors_ptr = (uintptr_t)&connectors[n], .count_connectors = 1, .crtc_id = crtc_id,
      .fb_id = screens[0].fb_id, .mode_valid = 1, .mode = modes[0],
    };
    CONTROL(SETCRTC, &set);
    printf("display %ux%u\n", width, height);
    return;
  }
  fail("no display is connected");
}

/* A colour that no other pixel of a display of up to 4096x4096 pixels has. */
static uint32_t colour(uint32_t x, uint32_t y) {
  uint32_t blue = (x >> 8) << 4 | (y >> 8);
  return (x & 255) << 16 | (y & 255) << 8 | blue;
}

static void fill(const struct buffer *buffer, uint32_t mask) {
  for (uint32_t y = 0; y < height; y++) {
    uint32_t *row = (uint32_t *)(buffer->bytes + (size_t)y * buffer->pitch);
    for (uint32_t x = 0; x < width; x++) row[x] = colour(x, y) ^ mask;
  }
}

static void report(struct clip *clip) {
  struct dirty_cmd part = {
    .fb_id = screens[shown].fb_id, .num_clips = clip ? 1 : 0, .clips_ptr = (uintptr_t)clip,
  };
  CONTROL(DIRTYFB, &part);
}

static void dirty(void) { report(NULL); }

static void picture(void) {
  fill(&screens[shown], 0);
  fill(&screens[1 - shown], WHITE);
  dirty();
}

/* The end of the box is not part of it. */
static void invert(struct clip box) {
  const struct buffer *buffer = &screens[shown];
  if (box.x2 > width || box.y2 > height) fail("the box is larger than the display");
  for (uint32_t y = box.y1; y < box.y2; y++) {
    uint32_t *row = (uint32_t *)(buffer->bytes + (size_t)y * buffer->pitch);
    for (uint32_t x = box.x1; x < box.x2; x++) row[x] ^= WHITE;
  }
}

static void redraw(void) {
  invert((struct clip){ 0, 0, width, height });
  dirty();
}

static void redraw_box(const unsigned *box) {
  struct clip clip = { box[0], box[1], box[0] + box[2], box[1] + box[3] };
  invert(clip);
  report(&clip);
}

static void flip(void) {
  uint8_t event[256];
  struct page_flip next = {
    .crtc_id = crtc_id, .fb_id = screens[1 - shown].fb_id, .flags = FLIP_EVENT,
  };
  CONTROL(PAGE_FLIP, &next);
  if (read(card, event, sizeof event) <= 0) fail("no event for a page flip");
  shown = 1 - shown;
}

static void set_cursor(uint32_t flags, uint32_t handle) {
  struct cursor2 set = {
    .flags = flags, .crtc_id = crtc_id, .x = cursor_x, .y = cursor_y,
    .width = CURSOR_SIZE, .height = CURSOR_SIZE, .handle = handle, .hot_x = HOT_X, .hot_y = HOT_Y,
  };
  CONTROL(CURSOR2, &set);
}

/*
 * The driver does not wait for the device when it updates or flips, but it does when it takes the
 * picture of a cursor: commands are carried out in order, so all that came before are done then.
 */
static void settle(void) {
  set_cursor(CURSOR_BO, cursor_shown ? cursor.handle : no_cursor.handle);
}

static void timed(const char *step, int count, void (*once)(void)) {
  settle();
  printf("%s begins\n", step);
  fflush(stdout);
  double from = seconds();
  for (int n = 0; n < count; n++) once();
  settle();
  double took = seconds() - from;
  printf("%s: %d in %.6f s, %.1f per second\n", step, count, took, count / took);
}

static void move_cursor(int x, int y) {
  cursor_x = x;
  cursor_y = y;
  set_cursor(CURSOR_MOVE, 0);
}

static void move_around(int count) {
  int x = cursor_x, y = cursor_y;
  for (int n = 1; n <= count; n++) move_cursor(x + n, y + n);
  move_cursor(x, y);
}

static void show_cursor(void) {
  cursor_shown = 1;
  set_cursor(CURSOR_BO | CURSOR_MOVE, cursor.handle);
}

static void hide_cursor(void) {
  cursor_shown = 0;
  set_cursor(CURSOR_BO, 0);
}

/*
 * The pages of pipes come from where those of buffers come from. Two pipes take turns, and when one
 * is closed, its pages lie between those of the other.
 */
static void scatter(unsigned mebibytes) {
  static const char page[PAGE];
  int closing[PIPES_MAX], count = mebibytes * (1 << 20) / PAGE / PIPE_PAGES;
  if (count > PIPES_MAX) fail("too much memory to scatter");
  for (int n = 0; n < count; n++) {
    int kept[2], closed[2];
    if (pipe(kept) || pipe(closed)) fail("pipe");
    for (int i = 0; i < PIPE_PAGES; i++)
      if (write(kept[1], page, PAGE) != PAGE || write(closed[1], page, PAGE) != PAGE) fail("pipe");
    close(closed[1]);
    closing[n] = closed[0];
  }
  for (int n = 0; n < count; n++) close(closing[n]);
}

static int carry_out(const char *step, int count) {
  unsigned box[4];
  if (!strcmp(step, "picture")) picture();
  else if (!strcmp(step, "redraw")) redraw();
  else if (sscanf(step, "box=%u,%u,%u,%u", box, box + 1, box + 2, box + 3) == 4) redraw_box(box);
  else if (!strncmp(step, "dirty=", 6)) timed("dirty", count, dirty);
  else if (!strncmp(step, "flip=", 5)) timed("flip", count, flip);
  else if (sscanf(step, "cursor=%d,%d", &cursor_x, &cursor_y) == 2) show_cursor();
  else if (!strncmp(step, "move=", 5)) move_around(count);
  else if (!strcmp(step, "nocursor")) hide_cursor();
  else if (strcmp(step, "hold")) return 0;
  return 1;
}

static void take(const char *step) {
  const char *equals = strchr(step, '=');
  if (!carry_out(step, equals ? atoi(equals + 1) : 0)) {
    fprintf(stderr, "draw: no step %s\n", step);
    exit(2);
  }
  if (strcmp(step, "nocursor")) settle();
  printf("%s done\n", step);
  fflush(stdout);
  if (!strcmp(step, "hold")) for (;;) pause();
}

int main(int count, char **words) {
  unsigned mebibytes;
  int first = count > 1 && sscanf(words[1], "scatter=%u", &mebibytes) == 1 ? 2 : 1;
  if (first == 2) scatter(mebibytes);
  open_display();
  for (int n = first; n < count; n++) take(words[n]);
  return 0;
}
