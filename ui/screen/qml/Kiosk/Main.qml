pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

Window {
    id: root

    required property KioskViewModel kiosk

    color: Theme.paper
    height: Theme.panelHeight
    title: root.kiosk.frame.hotel
    visibility: root.kiosk.frame.demo ? Window.Windowed : Window.FullScreen
    width: Theme.panelWidth

    // A real kiosk has no way out by keys or swipes.
    onClosing: close => close.accepted = root.kiosk.frame.demo

    // Drawn at the panel's own size; on a smaller display the whole panel is scaled.
    Item {
        id: panel

        anchors.horizontalCenter: parent.horizontalCenter
        height: Theme.panelHeight
        objectName: "panel"
        scale: Math.min(root.width / Theme.panelWidth, root.height / Theme.panelHeight)
        transformOrigin: Item.Top
        width: Theme.panelWidth

        DemoBanner {
            id: banner

            width: parent.width
            words: root.kiosk.frame.banner
            z: 3
        }

        Item {
            id: guest

            anchors.bottom: parent.bottom
            anchors.top: banner.bottom
            enabled: root.kiosk.frame.ready && visible
            // What is covered is hidden: nobody passing by, and no screen reader, finds it there.
            visible: !warning.visible && !sheet.visible
            width: parent.width

            Brand {
                anchors.left: parent.left
                anchors.leftMargin: Theme.margin
                anchors.verticalCenter: header.verticalCenter
                hotel: root.kiosk.frame.hotel
                objectName: "brand"
                room: dots.x - Theme.margin - Theme.gap * 2

                onHeld: root.kiosk.frame.openStaffSheet()
            }

            StepDots {
                id: dots

                anchors.right: parent.right
                anchors.rightMargin: Theme.margin
                anchors.verticalCenter: header.verticalCenter
                step: root.kiosk.frame.step
                stepName: root.kiosk.frame.stepName
                steps: root.kiosk.frame.steps
            }

            Item {
                id: header

                height: Theme.panelHeight / 8 - banner.height
                width: parent.width
            }

            Item {
                id: stage

                anchors.bottom: foot.top
                anchors.top: header.bottom
                width: parent.width

                Loader {
                    active: root.kiosk.frame.screen === "welcome"
                    anchors.fill: parent

                    sourceComponent: WelcomeScreen {
                        viewModel: root.kiosk.welcome
                    }
                }

                Loader {
                    id: scan

                    active: root.kiosk.frame.screen === "scan"
                    anchors.fill: parent

                    sourceComponent: ScanScreen {
                        viewModel: root.kiosk.scan
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "consent"
                    anchors.fill: parent

                    sourceComponent: ConsentScreen {
                        viewModel: root.kiosk.consent
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "progress"
                    anchors.fill: parent

                    sourceComponent: ProgressScreen {
                        viewModel: root.kiosk.progress
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "reference"
                    anchors.fill: parent

                    sourceComponent: ReferenceScreen {
                        viewModel: root.kiosk.reference
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "reservation"
                    anchors.fill: parent

                    sourceComponent: ReservationScreen {
                        viewModel: root.kiosk.reservation
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "fields"
                    anchors.fill: parent

                    sourceComponent: FieldsScreen {
                        viewModel: root.kiosk.fields
                    }
                }

                Loader {
                    id: capture

                    active: root.kiosk.frame.screen === "capture"
                    anchors.fill: parent

                    sourceComponent: CaptureScreen {
                        viewModel: root.kiosk.capture
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "done"
                    anchors.fill: parent

                    sourceComponent: DoneScreen {
                        viewModel: root.kiosk.done
                    }
                }

                Loader {
                    active: root.kiosk.frame.screen === "referral"
                    anchors.fill: parent

                    sourceComponent: ReferralScreen {
                        viewModel: root.kiosk.referral
                    }
                }
            }

            // One for all guests: what QML makes of a class in Python is never freed. Without a place it is in no
            // window, so no pixel of it is kept.
            Preview {
                readonly property Item place: (scan.item as ScanScreen)?.mirrorPlace ?? (capture.item as CaptureScreen)?.mirrorPlace ?? null

                anchors.fill: parent
                frames: root.kiosk.scan.frames
                parent: place
                radius: Theme.radius
                visible: place !== null
            }

            FootBar {
                id: foot

                anchors.bottom: parent.bottom
                frame: root.kiosk.frame
                width: parent.width
            }
        }

        IdleWarning {
            id: warning

            anchors.bottom: parent.bottom
            anchors.top: banner.bottom
            frame: root.kiosk.frame
            width: parent.width
            z: 1
        }

        StaffSheet {
            id: sheet

            anchors.bottom: parent.bottom
            anchors.top: banner.bottom
            enabled: root.kiosk.frame.ready
            viewModel: root.kiosk.sheet
            width: parent.width
            z: 2
        }

        // Feels every touch, takes none.
        Item {
            anchors.fill: parent
            z: 4

            PointHandler {
                id: finger

                onActiveChanged: {
                    if (active)
                        root.kiosk.frame.feel(finger.point.scenePosition.x, finger.point.scenePosition.y);
                }
            }
        }
    }
}
