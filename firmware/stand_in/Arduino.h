// A stand-in for board, core and libraries, as far as the sketch uses them, so that it runs on the host: the tests of
// imuface_driver compile the sketch against it. Time passes only while the sketch sleeps or reads the sensor. What the
// sketch sends is printed: "notify HEX", "serial HEX", "battery PERCENT", with the microseconds before it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

enum { LOW, HIGH, INPUT, OUTPUT, RISING };
enum { AR_INTERNAL_2_4, VBAT_ENABLE = 14, PIN_LSM6DS3TR_C_POWER = 15, PIN_LSM6DS3TR_C_INT1 = 18, PIN_VBAT = 32 };

// The world --------------------------------------------------------------------------------------------------------------

static const double PERIOD = 1e6 / 104.0;  // us between samples
static double now = 0.0;                   // us
static double next_sample = 0.0;
static uint32_t taken;          // samples since the sensor was turned on
static uint8_t registers[128];  // of the sensor
static void (*interrupt)();
static bool notified;

static long setting(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static bool measuring()
{
    return registers[0x10] >> 4 && registers[0x11] >> 4;
}

// Let time pass; the sensor samples meanwhile: angular velocity k, k + 1, k + 2, acceleration -k, 1, 8192.
static void pass(double until)
{
    while (measuring() && next_sample <= until) {
        now = next_sample;
        next_sample += PERIOD;
        int16_t k = (int16_t)++taken;
        int16_t values[6] = {k, (int16_t)(k + 1), (int16_t)(k + 2), (int16_t)-k, 1, 8192};
        memcpy(registers + 0x22, values, sizeof values);
        if (interrupt && registers[0x0D] & 0x02)
            interrupt();
    }
    now = until;
}

static void tell(const char *what, const uint8_t *data, size_t size)
{
    printf("%.0f %s ", now, what);
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
    printf("\n");
}

// The core ---------------------------------------------------------------------------------------------------------------

static void pinMode(int, int) {}
static void digitalWrite(int, int) {}
static void analogReference(int) {}
static void analogReadResolution(int) {}
static int analogRead(int) { return 2313; }  // 4.01 V over the divider
static void delay(int milliseconds) { pass(now + 1000.0 * milliseconds); }
static int digitalPinToInterrupt(int pin) { return pin; }
static void attachInterrupt(int, void (*function)(), int) { interrupt = function; }

struct Rtc {
    struct {
        operator uint32_t() const { return (uint32_t)(uint64_t)(now * 32768e-6) & 0xFFFFFF; }
    } COUNTER;
    uint32_t PRESCALER, TASKS_START;
};
static Rtc rtc;
#define NRF_RTC2 (&rtc)

struct SerialPort {
    void begin(int) {}
    operator bool() const { return setting("SERIAL"); }
    int availableForWrite() { return 64; }
    void write(const uint8_t *data, size_t size) { tell("serial", data, size); }
};
static SerialPort Serial;

// The operating system ---------------------------------------------------------------------------------------------------

typedef int TaskHandle_t;
typedef int BaseType_t;
enum { pdFALSE, pdTRUE };
#define pdMS_TO_TICKS(milliseconds) (milliseconds)
#define portYIELD_FROM_ISR(woken) ((void)(woken))
#define taskENTER_CRITICAL()
#define taskEXIT_CRITICAL()
static TaskHandle_t xTaskGetCurrentTaskHandle() { return 0; }
static void vTaskNotifyGiveFromISR(TaskHandle_t, BaseType_t *) { notified = true; }
static uint32_t ulTaskNotifyTake(int, int milliseconds)
{
    if (!notified) {
        double end = now + 1000.0 * milliseconds;
        pass(measuring() && next_sample < end ? next_sample : end);
    }
    bool had = notified;
    notified = false;
    return had;
}
